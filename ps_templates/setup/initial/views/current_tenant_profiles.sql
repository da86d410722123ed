-- Show each tenant's profile: its latest row.
-- Parameters: none
CREATE OR REPLACE VIEW `${project}.${dataset}.current_tenant_profiles`
OPTIONS (description = 'The profile of each tenant: its latest row.', labels = [('managed_by', 'convergence'), ('definition', '${definition}')])
AS
SELECT *
FROM `${project}.${dataset}.tenant_profiles`
WHERE TRUE -- BigQuery takes QUALIFY beside a WHERE only
QUALIFY ROW_NUMBER() OVER (PARTITION BY tenant_id ORDER BY recorded_at DESC) = 1
