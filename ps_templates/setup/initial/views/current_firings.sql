-- Show each firing's latest row: terminal rows beat others, and the first terminal row wins.
-- Parameters: none
CREATE OR REPLACE VIEW `${project}.${dataset}.current_firings`
OPTIONS (
  description = 'The latest row of each firing of a schedule. Filter by tenant_id and scheduled_time; rows of 1970-01-01 tell of pauses.',
  labels = [('managed_by', 'convergence'), ('definition', '${definition}')]
)
AS
SELECT *
FROM `${project}.${dataset}.tenant_scheduled_pipeline_runs`
WHERE TRUE -- BigQuery takes QUALIFY beside a WHERE only
-- scheduled_time is the same in all rows of a firing: as a key it lets a reader's filter prune partitions.
QUALIFY ROW_NUMBER() OVER (
  PARTITION BY tenant_id, scheduled_time, scheduled_run_id
  ORDER BY
    status IN ('COMPLETED', 'FAILED', 'CANCELLED') DESC,
    IF(status IN ('COMPLETED', 'FAILED', 'CANCELLED'), recorded_at, NULL),
    recorded_at DESC
) = 1
