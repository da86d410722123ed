-- Read actions from the audit log, each with its latest outcome, newest first; tenant "" is every tenant.
-- Parameters: tenant_id STRING, since TIMESTAMP, before TIMESTAMP, most INT64
SELECT
  audit_id, occurred_at, actor, action, outcome, tenant_id, source, request_id,
  TO_JSON_STRING(details) AS details
FROM `${project}.${dataset}.platform_audit_log`
WHERE occurred_at >= @since AND occurred_at < @before AND @tenant_id IN ('', tenant_id)
  AND NOT STARTS_WITH(audit_id, 'probe-') -- What bootstrap streams to see whether rows arrive.
QUALIFY ROW_NUMBER() OVER (PARTITION BY audit_id ORDER BY recorded_at DESC) = 1
ORDER BY occurred_at DESC, audit_id
LIMIT @most
