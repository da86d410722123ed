-- Read the credentials of all tenants that live and are not sealed under this key.
-- Parameters: key_version STRING
WITH latest AS (
  SELECT *
  FROM `${project}.${dataset}.tenant_cloud_credentials`
  WHERE TRUE -- BigQuery takes QUALIFY beside a WHERE only
  QUALIFY ROW_NUMBER() OVER (PARTITION BY tenant_id, credential_id ORDER BY recorded_at DESC) = 1
)
SELECT
  credential_id, tenant_id, provider, encrypted_credentials, key_version, is_active, created_by, created_at, recorded_at,
  account, project_id
FROM latest
WHERE is_active AND key_version != @key_version
ORDER BY tenant_id, credential_id
