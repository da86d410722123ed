-- Read every attempt of every step of one run: its first terminal row, or else its latest.
-- Parameters: tenant_id STRING, run_id STRING, since TIMESTAMP
SELECT
  step_id, level, step_index, attempt, status, job_id, job_project, target_table, statement_hash, start_time,
  end_time, rows_processed, bytes_processed, bytes_billed, error_reason
FROM `${project}.${dataset}.tenant_step_logs`
WHERE tenant_id = @tenant_id AND pipeline_logging_id = @run_id AND start_time >= @since
QUALIFY ROW_NUMBER() OVER (
  PARTITION BY step_id, attempt
  ORDER BY
    status IN ('COMPLETED', 'FAILED', 'CANCELLED', 'SKIPPED') DESC,
    IF(status IN ('COMPLETED', 'FAILED', 'CANCELLED', 'SKIPPED'), recorded_at, NULL),
    recorded_at DESC
) = 1
ORDER BY level, step_index, attempt
