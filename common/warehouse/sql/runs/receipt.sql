-- Read every attempt of every job of every step of one run: its first terminal row, or else that of its end, or else its latest.
-- Parameters: tenant_id STRING, run_id STRING, since TIMESTAMP
SELECT
  step_id, level, step_index, attempt,
  -- A step is RUNNING as long as jobs follow on this one; the job is done.
  IF(status = 'RUNNING' AND end_time IS NOT NULL, 'COMPLETED', status) AS status,
  COALESCE(job_name, 'main') AS job_name, job_id, job_project, target_table, statement_hash, start_time,
  end_time, rows_processed, bytes_processed, bytes_billed, error_reason,
  TO_JSON_STRING(metadata) AS metadata
FROM `${project}.${dataset}.tenant_step_logs`
WHERE tenant_id = @tenant_id AND pipeline_logging_id = @run_id AND start_time >= @since
  AND (attempt > 0 OR status <> 'RUNNING') -- What keeps a step from beginning is no attempt.
QUALIFY ROW_NUMBER() OVER (
  PARTITION BY step_id, COALESCE(job_index, 0), attempt
  ORDER BY
    status IN ('COMPLETED', 'FAILED', 'CANCELLED', 'SKIPPED') DESC,
    IF(status IN ('COMPLETED', 'FAILED', 'CANCELLED', 'SKIPPED'), recorded_at, NULL),
    end_time IS NOT NULL DESC,
    recorded_at DESC
) = 1
ORDER BY level, step_index, COALESCE(job_index, 0), attempt
