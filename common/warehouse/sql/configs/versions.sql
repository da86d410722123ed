-- Read rows of one config, the newest first; version 0 is every version.
-- Parameters: tenant_id STRING, config_id STRING, version INT64, most INT64
SELECT
  config_id, tenant_id, version, pipeline_yaml, content_hash, pipeline_name, pipeline_version, is_active,
  TO_JSON_STRING(schedule) AS schedule, schedule_cron, timezone, priority, created_by, created_at, recorded_at
FROM `${project}.${dataset}.tenant_pipeline_configs`
WHERE tenant_id = @tenant_id AND config_id = @config_id AND @version IN (0, version)
ORDER BY version DESC
LIMIT @most
