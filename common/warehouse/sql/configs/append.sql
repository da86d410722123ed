-- Append one version of a config; the job's ID is the claim on the version.
-- Parameters: config_id STRING, tenant_id STRING, version INT64, pipeline_yaml STRING, content_hash STRING, pipeline_name STRING, pipeline_version STRING, is_active BOOL, schedule STRING, schedule_cron STRING, timezone STRING, priority INT64, created_by STRING, created_at TIMESTAMP, recorded_at TIMESTAMP
INSERT INTO `${project}.${dataset}.tenant_pipeline_configs` (
  config_id, tenant_id, version, pipeline_yaml, content_hash, pipeline_name, pipeline_version, is_active, schedule,
  schedule_cron, timezone, priority, created_by, created_at, recorded_at
)
VALUES (
  @config_id, @tenant_id, @version, @pipeline_yaml, @content_hash, @pipeline_name, @pipeline_version, @is_active,
  PARSE_JSON(@schedule), @schedule_cron, @timezone, @priority, @created_by, @created_at, @recorded_at
)
