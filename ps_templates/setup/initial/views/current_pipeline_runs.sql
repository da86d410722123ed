-- Show each run's latest row: terminal rows beat others, and the first terminal row wins.
-- Parameters: none
CREATE OR REPLACE VIEW `${project}.${dataset}.current_pipeline_runs`
OPTIONS (
  description = 'The latest row of each run; a run stays PENDING until it ends. Filter by tenant_id and start_time.',
  labels = [('managed_by', 'convergence'), ('definition', '${definition}')]
)
AS
SELECT *
FROM `${project}.${dataset}.tenant_pipeline_runs`
WHERE TRUE -- BigQuery takes QUALIFY beside a WHERE only
-- start_time is the same in all rows of a run: as a key it lets a reader's filter prune partitions.
QUALIFY ROW_NUMBER() OVER (
  PARTITION BY tenant_id, start_time, pipeline_logging_id
  ORDER BY
    status IN ('COMPLETED', 'FAILED', 'CANCELLED') DESC,
    IF(status IN ('COMPLETED', 'FAILED', 'CANCELLED'), recorded_at, NULL),
    recorded_at DESC
) = 1
