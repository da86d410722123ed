-- Name those of some configs, tenant/config, of which a run has completed by a moment that was admitted since another.
-- Parameters: tenant_ids ARRAY<STRING>, keys ARRAY<STRING>, since TIMESTAMP, until TIMESTAMP
SELECT DISTINCT tenant_id, pipeline_id AS config_id
FROM `${project}.${dataset}.current_pipeline_runs`
WHERE tenant_id IN UNNEST(@tenant_ids) AND start_time >= @since AND start_time <= @until AND end_time <= @until
  AND status = 'COMPLETED' AND CONCAT(tenant_id, '/', pipeline_id) IN UNNEST(@keys)
