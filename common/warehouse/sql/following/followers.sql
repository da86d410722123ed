-- Read the configs of active tenants whose files may say after which others they run, or by when; their text tells.
-- Parameters: none
SELECT config.tenant_id, config.config_id, config.version, config.priority, config.pipeline_yaml, config.recorded_at
FROM `${project}.${dataset}.current_pipeline_configs` AS config
JOIN `${project}.${dataset}.current_tenant_profiles` AS profile
  ON profile.tenant_id = config.tenant_id AND profile.status = 'ACTIVE'
WHERE config.is_active AND (STRPOS(config.pipeline_yaml, 'after') > 0 OR REGEXP_CONTAINS(config.pipeline_yaml, r'\blate\b'))
ORDER BY config.tenant_id, config.config_id
