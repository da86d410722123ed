-- List the tenants that had runs or jobs between two moments.
-- Parameters: since TIMESTAMP, until TIMESTAMP
SELECT tenant_id
FROM `${project}.${dataset}.tenant_pipeline_runs`
WHERE start_time >= @since AND start_time < @until
UNION DISTINCT
SELECT tenant_id
FROM `${project}.${dataset}.tenant_step_logs`
WHERE start_time >= @since AND start_time < @until
ORDER BY tenant_id
