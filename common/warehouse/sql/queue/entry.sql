-- Read one entry of the queue: its first terminal row, or else its latest.
-- Parameters: tenant_id STRING, run_id STRING, since TIMESTAMP
SELECT
  queue_id, tenant_id, config_id, status, scheduled_time, priority, added_at, error_message, recorded_at,
  TO_JSON_STRING(parameters) AS parameters, TO_JSON_STRING(run_metadata) AS run_metadata
FROM `${project}.${dataset}.tenant_pipeline_execution_queue`
WHERE tenant_id = @tenant_id AND queue_id = @run_id AND scheduled_time >= @since
QUALIFY ROW_NUMBER() OVER (
  PARTITION BY tenant_id, queue_id
  ORDER BY
    status IN ('COMPLETED', 'FAILED', 'CANCELLED') DESC,
    IF(status IN ('COMPLETED', 'FAILED', 'CANCELLED'), recorded_at, NULL),
    recorded_at DESC
) = 1
