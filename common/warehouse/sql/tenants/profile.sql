-- Read a tenant's profile.
-- Parameters: tenant_id STRING
SELECT tenant_id, company_name, admin_email, tenant_dataset_id, status, isolation, sources, budget,
  operator_budget, created_at, recorded_at
FROM `${project}.${dataset}.current_tenant_profiles`
WHERE tenant_id = @tenant_id
