-- Read who waits for a slot: of each tenant those whose turn is next, and all who have waited too long; tenant "" is every tenant.
-- Parameters: tenant_id STRING, since TIMESTAMP, now TIMESTAMP, expired_before TIMESTAMP, most INT64, most_of_group INT64
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
grouped AS (
  -- A schedule or a backfill that runs as much as it may must not hide from sight who waits behind it.
  SELECT
    *,
    ROW_NUMBER() OVER (
      PARTITION BY tenant_id, JSON_VALUE(run_metadata, '$.trigger_by'), IF(JSON_VALUE(run_metadata, '$.trigger_type') = 'scheduler', config_id, '')
      ORDER BY priority, scheduled_time, added_at, queue_id
    ) AS turn_in_group
  FROM entries
  WHERE status = 'QUEUED'
),
waiting AS (
  SELECT
    *,
    ROW_NUMBER() OVER (
      PARTITION BY tenant_id
      ORDER BY turn_in_group > @most_of_group, priority, scheduled_time, added_at, queue_id
    ) AS turn
  FROM grouped
)
SELECT
  queue_id, tenant_id, config_id, status, scheduled_time, priority, added_at, error_message, recorded_at,
  TO_JSON_STRING(parameters) AS parameters, TO_JSON_STRING(run_metadata) AS run_metadata
FROM waiting
WHERE turn <= @most OR GREATEST(added_at, scheduled_time) < @expired_before
ORDER BY tenant_id, turn
