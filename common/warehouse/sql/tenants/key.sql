-- Read an API key by its hash, with the state of its tenant.
-- Parameters: api_key_hash STRING
SELECT
  k.api_key_id, k.api_key_hash, k.tenant_id, k.key_prefix, k.description, k.scopes, k.is_active, k.expires_at,
  k.created_at, k.created_by, k.revoked_at,
  COALESCE(profile.status, 'DELETED') AS tenant_status
FROM `${project}.${dataset}.current_api_keys` AS k
LEFT JOIN `${project}.${dataset}.current_tenant_profiles` AS profile ON profile.tenant_id = k.tenant_id
WHERE k.api_key_hash = @api_key_hash
