-- Make a tenant: profile, first API key, subscription and first usage row, all or none.
-- Parameters: tenant_id STRING, company_name STRING, admin_email STRING, tenant_dataset_id STRING, tenant_status STRING, isolation STRING, api_key_id STRING, api_key_hash STRING, key_prefix STRING, scopes ARRAY<STRING>, created_by STRING, subscription_id STRING, plan_name STRING, subscription_status STRING, daily_limit INT64, monthly_limit INT64, concurrent_limit INT64, max_team_members INT64, usage_id STRING, usage_date DATE, now TIMESTAMP
BEGIN TRANSACTION;

INSERT INTO `${project}.${dataset}.tenant_profiles` (
  tenant_id, company_name, admin_email, tenant_dataset_id, status, isolation, created_at, recorded_at
)
VALUES (@tenant_id, @company_name, @admin_email, @tenant_dataset_id, @tenant_status, @isolation, @now, @now);

INSERT INTO `${project}.${dataset}.tenant_api_keys` (
  api_key_id, api_key_hash, tenant_id, key_prefix, scopes, is_active, created_at, created_by, recorded_at
)
VALUES (@api_key_id, @api_key_hash, @tenant_id, @key_prefix, @scopes, TRUE, @now, @created_by, @now);

INSERT INTO `${project}.${dataset}.tenant_subscriptions` (
  subscription_id, tenant_id, plan_name, status, daily_limit, monthly_limit, concurrent_limit, max_team_members,
  created_at, recorded_at
)
VALUES (
  @subscription_id, @tenant_id, @plan_name, @subscription_status, @daily_limit, @monthly_limit, @concurrent_limit,
  @max_team_members, @now, @now
);

INSERT INTO `${project}.${dataset}.tenant_usage_quotas` (
  usage_id, tenant_id, usage_date, pipelines_run_today, pipelines_succeeded_today, pipelines_failed_today,
  pipelines_run_month, concurrent_pipelines_running, daily_limit, monthly_limit, concurrent_limit,
  max_concurrent_reached, created_at, recorded_at
)
VALUES (
  @usage_id, @tenant_id, @usage_date, 0, 0, 0, 0, 0, @daily_limit, @monthly_limit, @concurrent_limit, 0, @now, @now
);

COMMIT TRANSACTION;
