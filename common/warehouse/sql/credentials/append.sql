-- Append a credential's state, sealed.
-- Parameters: credential_id STRING, tenant_id STRING, provider STRING, encrypted_credentials BYTES, key_version STRING, is_active BOOL, created_by STRING, created_at TIMESTAMP, recorded_at TIMESTAMP, account STRING, project_id STRING
INSERT INTO `${project}.${dataset}.tenant_cloud_credentials` (
  credential_id, tenant_id, provider, encrypted_credentials, key_version, is_active, created_by, created_at, recorded_at,
  account, project_id
)
VALUES (
  @credential_id, @tenant_id, @provider, @encrypted_credentials, @key_version, @is_active, @created_by, @created_at, @recorded_at,
  @account, @project_id
)
