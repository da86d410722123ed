-- Show each config in its latest version; is_active is false for a deleted one.
-- Parameters: none
CREATE OR REPLACE VIEW `${project}.${dataset}.current_pipeline_configs`
OPTIONS (description = 'The latest version of each pipeline config; is_active is false for a deleted one.', labels = [('managed_by', 'convergence'), ('definition', '${definition}')])
AS
SELECT *
FROM `${project}.${dataset}.tenant_pipeline_configs`
WHERE TRUE -- BigQuery takes QUALIFY beside a WHERE only
QUALIFY ROW_NUMBER() OVER (PARTITION BY tenant_id, config_id ORDER BY version DESC) = 1
