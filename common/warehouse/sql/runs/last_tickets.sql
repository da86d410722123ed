-- Read the greatest ticket of each of some tenants from before a moment: for tenants without a ticket since, whose numbers must go on.
-- Parameters: tenant_ids ARRAY<STRING>, before TIMESTAMP
SELECT tenant_id, MAX(ticket) AS last_ticket
FROM `${project}.${dataset}.tenant_pipeline_runs`
WHERE tenant_id IN UNNEST(@tenant_ids) AND start_time < @before AND ticket IS NOT NULL
GROUP BY tenant_id
