-- Read the latest row of each config of one tenant.
-- Parameters: tenant_id STRING
SELECT
  config_id, tenant_id, version, pipeline_yaml, content_hash, pipeline_name, pipeline_version, is_active,
  TO_JSON_STRING(schedule) AS schedule, schedule_cron, timezone, priority, created_by, created_at, recorded_at
FROM `${project}.${dataset}.current_pipeline_configs`
WHERE tenant_id = @tenant_id
ORDER BY config_id
