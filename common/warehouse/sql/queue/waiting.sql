-- Read who waits for a slot: of each tenant those whose turn is next, and all who have waited too long; tenant "" is every tenant.
-- Parameters: tenant_id STRING, since TIMESTAMP, now TIMESTAMP, expired_before TIMESTAMP, most INT64
WITH entries AS (
  SELECT *
  FROM `${project}.${dataset}.tenant_pipeline_execution_queue`
  WHERE scheduled_time >= @since AND scheduled_time <= @now AND @tenant_id IN ('', tenant_id)
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY tenant_id, queue_id
    ORDER BY
      status IN ('COMPLETED', 'FAILED', 'CANCELLED') DESC,
      IF(status IN ('COMPLETED', 'FAILED', 'CANCELLED'), recorded_at, NULL),
      recorded_at DESC
  ) = 1
),
waiting AS (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY tenant_id ORDER BY priority, scheduled_time, added_at, queue_id) AS turn
  FROM entries
  WHERE status = 'QUEUED'
)
SELECT
  queue_id, tenant_id, config_id, status, scheduled_time, priority, added_at, error_message, recorded_at,
  TO_JSON_STRING(parameters) AS parameters, TO_JSON_STRING(run_metadata) AS run_metadata
FROM waiting
WHERE turn <= @most OR GREATEST(added_at, scheduled_time) < @expired_before
ORDER BY tenant_id, turn
