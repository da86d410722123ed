-- Sum up what the steps of some runs of a tenant have written, read and been billed for.
-- Parameters: tenant_id STRING, run_ids ARRAY<STRING>, since TIMESTAMP
WITH jobs AS (
  -- Of each attempt at a job its end, or else its latest row.
  SELECT
    pipeline_logging_id, step_id, COALESCE(job_index, 0) AS job_index, attempt, status, recorded_at, job_project, rows_processed,
    bytes_processed, bytes_billed
  FROM `${project}.${dataset}.tenant_step_logs`
  WHERE tenant_id = @tenant_id AND pipeline_logging_id IN UNNEST(@run_ids) AND start_time >= @since
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY pipeline_logging_id, step_id, COALESCE(job_index, 0), attempt
    ORDER BY
      status IN ('COMPLETED', 'FAILED', 'CANCELLED', 'SKIPPED') DESC,
      IF(status IN ('COMPLETED', 'FAILED', 'CANCELLED', 'SKIPPED'), recorded_at, NULL),
      end_time IS NOT NULL DESC,
      recorded_at DESC
  ) = 1
),
steps AS (
  -- Rows are those of a step's last job; bytes are those of all its jobs.
  SELECT
    pipeline_logging_id, rows_processed,
    SUM(bytes_processed) OVER (PARTITION BY pipeline_logging_id, step_id) AS bytes_processed,
    SUM(IF(job_project IS NULL, bytes_billed, NULL)) OVER (PARTITION BY pipeline_logging_id, step_id) AS bytes_billed,
    SUM(IF(job_project IS NULL, NULL, bytes_billed)) OVER (PARTITION BY pipeline_logging_id, step_id) AS own_project_bytes_billed
  FROM jobs
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY pipeline_logging_id, step_id
    ORDER BY
      COALESCE(job_index, 0) DESC,
      attempt DESC,
      status IN ('COMPLETED', 'FAILED', 'CANCELLED', 'SKIPPED') DESC,
      IF(status IN ('COMPLETED', 'FAILED', 'CANCELLED', 'SKIPPED'), recorded_at, NULL),
      recorded_at DESC
  ) = 1
)
SELECT
  pipeline_logging_id, SUM(rows_processed) AS rows_processed, SUM(bytes_processed) AS bytes_processed,
  SUM(bytes_billed) AS bytes_billed, SUM(own_project_bytes_billed) AS own_project_bytes_billed
FROM steps
GROUP BY pipeline_logging_id
