-- Show each step's latest attempt: in an attempt terminal rows beat others, and the first terminal row wins.
-- Parameters: none
CREATE OR REPLACE VIEW `${project}.${dataset}.current_step_logs`
OPTIONS (
  description = 'The latest attempt of each step of the runs of 400 days. Filter by tenant_id and pipeline_logging_id.',
  labels = [('managed_by', 'convergence'), ('definition', '${definition}')]
)
AS
SELECT *
FROM `${project}.${dataset}.tenant_step_logs`
-- A step's attempts begin on days of their own, so no reader's filter reaches below the choice of the latest.
WHERE start_time >= TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 400 DAY)
QUALIFY ROW_NUMBER() OVER (
  PARTITION BY tenant_id, pipeline_logging_id, step_id
  ORDER BY
    COALESCE(job_index, 0) DESC,
    attempt DESC,
    status IN ('COMPLETED', 'FAILED', 'CANCELLED', 'SKIPPED') DESC,
    IF(status IN ('COMPLETED', 'FAILED', 'CANCELLED', 'SKIPPED'), recorded_at, NULL),
    recorded_at DESC
) = 1
