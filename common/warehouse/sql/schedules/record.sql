-- Append what has become of firings since a moment where their rows do not say so yet: of their runs, and of those that never left the queue.
-- Parameters: ended_since TIMESTAMP, since TIMESTAMP, now TIMESTAMP
INSERT INTO `${project}.${dataset}.tenant_scheduled_pipeline_runs` (
  scheduled_run_id, config_id, tenant_id, status, scheduled_time, priority, parameters, pipeline_logging_id, retry_count,
  max_retries, completed_at, failed_at, error_message, created_at, recorded_at
)
WITH outcomes AS (
  SELECT tenant_id, pipeline_logging_id AS run_id, TRUE AS has_begun, status, end_time, error_message
  FROM `${project}.${dataset}.current_pipeline_runs`
  WHERE start_time >= @since AND recorded_at >= @ended_since
  UNION ALL
  SELECT tenant_id, queue_id AS run_id, FALSE AS has_begun, status, recorded_at AS end_time, error_message
  FROM `${project}.${dataset}.tenant_pipeline_execution_queue`
  WHERE scheduled_time >= @since AND recorded_at >= @ended_since AND status IN ('FAILED', 'CANCELLED')
)
SELECT
  firing.scheduled_run_id, firing.config_id, firing.tenant_id, outcome.status, firing.scheduled_time, firing.priority,
  firing.parameters, IF(outcome.has_begun, outcome.run_id, NULL), firing.retry_count, firing.max_retries,
  IF(outcome.status = 'COMPLETED', outcome.end_time, NULL),
  IF(outcome.status IN ('FAILED', 'CANCELLED'), outcome.end_time, NULL),
  outcome.error_message, firing.created_at, @now
FROM `${project}.${dataset}.current_firings` AS firing
JOIN outcomes AS outcome ON outcome.tenant_id = firing.tenant_id AND outcome.run_id = firing.scheduled_run_id
WHERE firing.scheduled_time >= @since
  AND firing.status NOT IN ('COMPLETED', 'FAILED', 'CANCELLED') AND outcome.status <> firing.status
QUALIFY ROW_NUMBER() OVER (
  PARTITION BY firing.tenant_id, firing.scheduled_run_id
  ORDER BY outcome.has_begun DESC, outcome.end_time
) = 1
