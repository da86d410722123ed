-- List a tenant's API keys, revoked ones too, oldest first.
-- Parameters: tenant_id STRING
SELECT
  api_key_id, api_key_hash, tenant_id, key_prefix, description, scopes, is_active, expires_at, created_at, created_by,
  revoked_at
FROM `${project}.${dataset}.current_api_keys`
WHERE tenant_id = @tenant_id
ORDER BY created_at, api_key_hash
