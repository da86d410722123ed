-- Read versions of configs that are not deleted, given as "tenant config version", with what their tenants are granted.
-- Parameters: tenant_ids ARRAY<STRING>, keys ARRAY<STRING>
SELECT config.tenant_id, config.config_id, config.version, config.pipeline_yaml, config.priority, profile.isolation, profile.sources
FROM `${project}.${dataset}.tenant_pipeline_configs` AS config
JOIN `${project}.${dataset}.current_pipeline_configs` AS latest
  ON latest.tenant_id = config.tenant_id AND latest.config_id = config.config_id AND latest.is_active
JOIN `${project}.${dataset}.current_tenant_profiles` AS profile ON profile.tenant_id = config.tenant_id
WHERE config.tenant_id IN UNNEST(@tenant_ids) AND config.is_active
  AND CONCAT(config.tenant_id, ' ', config.config_id, ' ', config.version) IN UNNEST(@keys)
