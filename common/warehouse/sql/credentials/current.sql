-- Read the latest row of a credential, or of each credential of a tenant where its ID is "".
-- Parameters: tenant_id STRING, credential_id STRING
SELECT
  credential_id, tenant_id, provider, encrypted_credentials, key_version, is_active, created_by, created_at, recorded_at,
  account, project_id
FROM `${project}.${dataset}.tenant_cloud_credentials`
WHERE tenant_id = @tenant_id AND @credential_id IN ('', credential_id)
QUALIFY ROW_NUMBER() OVER (PARTITION BY credential_id ORDER BY recorded_at DESC) = 1
ORDER BY credential_id
