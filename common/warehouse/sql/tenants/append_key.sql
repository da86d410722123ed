-- Append an API key's state.
-- Parameters: api_key_id STRING, api_key_hash STRING, tenant_id STRING, key_prefix STRING, description STRING, scopes ARRAY<STRING>, is_active BOOL, expires_at TIMESTAMP, created_at TIMESTAMP, created_by STRING, revoked_at TIMESTAMP, recorded_at TIMESTAMP
INSERT INTO `${project}.${dataset}.tenant_api_keys` (
  api_key_id, api_key_hash, tenant_id, key_prefix, description, scopes, is_active, expires_at, created_at, created_by,
  revoked_at, recorded_at
)
VALUES (
  @api_key_id, @api_key_hash, @tenant_id, @key_prefix, @description, @scopes, @is_active, @expires_at, @created_at,
  @created_by, @revoked_at, @recorded_at
)
