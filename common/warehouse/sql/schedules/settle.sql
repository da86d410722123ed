-- Append what became of the firings whose runs have ended since a moment and whose rows do not say so yet.
-- Parameters: ended_since TIMESTAMP, since TIMESTAMP, now TIMESTAMP
INSERT INTO `${project}.${dataset}.tenant_scheduled_pipeline_runs` (
  scheduled_run_id, config_id, tenant_id, status, scheduled_time, priority, parameters, pipeline_logging_id, retry_count,
  max_retries, completed_at, failed_at, error_message, created_at, recorded_at
)
WITH firings AS (
  SELECT *
  FROM `${project}.${dataset}.tenant_scheduled_pipeline_runs`
  WHERE scheduled_time >= @since
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY tenant_id, scheduled_run_id
    ORDER BY status IN ('COMPLETED', 'FAILED', 'CANCELLED') DESC, recorded_at DESC
  ) = 1
)
SELECT
  firing.scheduled_run_id, firing.config_id, firing.tenant_id, run.status, firing.scheduled_time, firing.priority,
  firing.parameters, run.pipeline_logging_id, firing.retry_count, firing.max_retries,
  IF(run.status = 'COMPLETED', run.end_time, NULL),
  IF(run.status = 'COMPLETED', NULL, run.end_time),
  run.error_message, firing.created_at, @now
FROM firings AS firing
JOIN `${project}.${dataset}.current_pipeline_runs` AS run
  ON run.tenant_id = firing.tenant_id AND run.pipeline_logging_id = firing.scheduled_run_id
WHERE firing.status NOT IN ('COMPLETED', 'FAILED', 'CANCELLED') AND run.start_time >= @since AND run.end_time >= @ended_since
