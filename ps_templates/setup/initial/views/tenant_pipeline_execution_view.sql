-- Show the runs of the last 400 days with their steps: one row per step, one row for a run without any.
-- Parameters: none
CREATE OR REPLACE VIEW `${project}.${dataset}.tenant_pipeline_execution_view`
OPTIONS (
  description = 'Runs of all tenants with their steps, one row per step, of the last 400 days. For operators.',
  labels = [('managed_by', 'convergence'), ('definition', '${definition}')]
)
AS
WITH steps AS (
  SELECT *
  FROM `${project}.${dataset}.tenant_step_logs`
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
)
SELECT
  run.tenant_id,
  run.pipeline_logging_id,
  run.pipeline_id,
  run.config_version,
  IF(run.status = 'PENDING' AND step.step_id IS NOT NULL, 'RUNNING', run.status) AS pipeline_status,
  run.trigger_type,
  run.trigger_by,
  run.user_id,
  run.start_time AS pipeline_start_time,
  run.end_time AS pipeline_end_time,
  run.duration_ms AS pipeline_duration_ms,
  run.run_date AS pipeline_run_date,
  CAST(JSON_VALUE(run.run_metadata, '$.interval_start') AS TIMESTAMP) AS pipeline_interval_start,
  CAST(JSON_VALUE(run.run_metadata, '$.interval_end') AS TIMESTAMP) AS pipeline_interval_end,
  run.error_message AS pipeline_error_message,
  step.step_id,
  step.step_type,
  step.step_index,
  step.level,
  step.attempt,
  step.status AS step_status,
  step.start_time AS step_start_time,
  step.end_time AS step_end_time,
  step.duration_ms AS step_duration_ms,
  step.rows_processed,
  step.bytes_billed,
  step.job_id,
  step.target_table,
  step.error_message AS step_error_message,
  COUNT(step.step_id) OVER run_steps AS total_steps,
  COUNTIF(step.status = 'COMPLETED') OVER run_steps AS steps_completed,
  COUNTIF(step.status = 'FAILED') OVER run_steps AS steps_failed
FROM `${project}.${dataset}.current_pipeline_runs` AS run
LEFT JOIN steps AS step
  ON step.tenant_id = run.tenant_id AND step.pipeline_logging_id = run.pipeline_logging_id
WHERE run.start_time >= TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 400 DAY)
WINDOW run_steps AS (PARTITION BY run.tenant_id, run.start_time, run.pipeline_logging_id)
