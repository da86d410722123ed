-- Read which step of which pipeline has written each of a tenant's tables last, whole or a partition of it.
-- Parameters: tenant_id STRING, tables ARRAY<STRING>, since TIMESTAMP
WITH writes AS (
  SELECT SPLIT(target_table, '$')[SAFE_OFFSET(0)] AS table_name, pipeline_id, step_id, pipeline_logging_id, end_time
  FROM `${project}.${dataset}.tenant_step_logs`
  WHERE tenant_id = @tenant_id AND start_time >= @since AND status = 'COMPLETED' AND end_time IS NOT NULL
)
SELECT table_name, pipeline_id AS config_id, step_id, pipeline_logging_id AS run_id, end_time AS written_at
FROM writes
WHERE table_name IN UNNEST(@tables)
QUALIFY ROW_NUMBER() OVER (PARTITION BY table_name ORDER BY end_time DESC, pipeline_logging_id) = 1
