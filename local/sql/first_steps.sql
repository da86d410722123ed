-- Read which of a platform's first steps have been done.
-- Parameters: none
SELECT
  EXISTS(SELECT 1 FROM `${project}.${dataset}.current_tenant_profiles`) AS has_tenant,
  EXISTS(SELECT 1 FROM `${project}.${dataset}.tenant_pipeline_configs`) AS has_config,
  EXISTS(SELECT 1 FROM `${project}.${dataset}.tenant_pipeline_runs`) AS has_run
