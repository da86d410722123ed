-- Append a tenant's profile.
-- Parameters: tenant_id STRING, company_name STRING, admin_email STRING, tenant_dataset_id STRING, status STRING, isolation STRING, sources ARRAY<STRING>, budget STRING, operator_budget STRING, created_at TIMESTAMP, recorded_at TIMESTAMP
INSERT INTO `${project}.${dataset}.tenant_profiles` (
  tenant_id, company_name, admin_email, tenant_dataset_id, status, isolation, sources, budget, operator_budget, created_at,
  recorded_at
)
VALUES (
  @tenant_id, @company_name, @admin_email, @tenant_dataset_id, @status, @isolation, @sources, @budget,
  @operator_budget, @created_at, @recorded_at
)
