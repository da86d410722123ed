-- Show each step's latest attempt: in an attempt terminal rows beat others, and the first terminal row wins.
-- Parameters: none
CREATE OR REPLACE VIEW `${project}.${dataset}.current_step_logs`
OPTIONS (
  description = 'The latest attempt of each step of each run. Filter by tenant_id and pipeline_logging_id.',
  labels = [('managed_by', 'convergence'), ('definition', '${definition}')]
)
AS
SELECT *
FROM `${project}.${dataset}.tenant_step_logs`
WHERE TRUE -- BigQuery takes QUALIFY beside a WHERE only
QUALIFY ROW_NUMBER() OVER (
  PARTITION BY tenant_id, pipeline_logging_id, step_id
  ORDER BY
    attempt DESC,
    status IN ('COMPLETED', 'FAILED', 'CANCELLED', 'SKIPPED') DESC,
    IF(status IN ('COMPLETED', 'FAILED', 'CANCELLED', 'SKIPPED'), recorded_at, NULL),
    recorded_at DESC
) = 1
