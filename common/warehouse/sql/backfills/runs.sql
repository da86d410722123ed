-- Read the runs of backfills, in the order of their intervals: as their own rows tell them, or else the queue.
-- Parameters: tenant_id STRING, backfill_ids ARRAY<STRING>, since TIMESTAMP
WITH entries AS (
  SELECT queue_id, config_id, status, error_message, added_at, JSON_VALUE(run_metadata, '$.interval_start') AS interval_start,
    JSON_VALUE(run_metadata, '$.config_version') AS config_version, JSON_VALUE(run_metadata, '$.trigger_by') AS backfill_id
  FROM `${project}.${dataset}.tenant_pipeline_execution_queue`
  WHERE tenant_id = @tenant_id AND scheduled_time >= @since
    AND JSON_VALUE(run_metadata, '$.trigger_type') = 'backfill' AND JSON_VALUE(run_metadata, '$.trigger_by') IN UNNEST(@backfill_ids)
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY queue_id
    ORDER BY
      status IN ('COMPLETED', 'FAILED', 'CANCELLED') DESC,
      IF(status IN ('COMPLETED', 'FAILED', 'CANCELLED'), recorded_at, NULL),
      recorded_at DESC
  ) = 1
)
SELECT
  entries.queue_id AS run_id, entries.config_id, entries.interval_start, CAST(entries.config_version AS INT64) AS config_version, entries.backfill_id,
  COALESCE(run.status, IF(entries.status = 'COMPLETED', 'PENDING', entries.status)) AS status,
  COALESCE(run.error_message, entries.error_message, '') AS error
FROM entries
LEFT JOIN `${project}.${dataset}.current_pipeline_runs` AS run
  ON run.tenant_id = @tenant_id AND run.start_time >= @since AND run.pipeline_logging_id = entries.queue_id
ORDER BY entries.interval_start, entries.added_at
