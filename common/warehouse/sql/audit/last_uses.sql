-- Read when each API key of a tenant was last seen: in the audit log, or starting a run.
-- Parameters: tenant_id STRING, since TIMESTAMP
WITH uses AS (
  SELECT SUBSTR(actor, 5) AS api_key_id, occurred_at AS used_at
  FROM `${project}.${dataset}.platform_audit_log`
  WHERE tenant_id = @tenant_id AND occurred_at >= @since AND STARTS_WITH(actor, 'key:')
  UNION ALL
  SELECT tenant_api_key_id AS api_key_id, start_time AS used_at
  FROM `${project}.${dataset}.tenant_pipeline_runs`
  WHERE tenant_id = @tenant_id AND start_time >= @since AND tenant_api_key_id IS NOT NULL
)
SELECT api_key_id, MAX(used_at) AS last_used_at
FROM uses
GROUP BY api_key_id
