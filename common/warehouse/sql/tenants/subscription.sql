-- Read a tenant's subscription.
-- Parameters: tenant_id STRING
SELECT
  subscription_id, tenant_id, plan_name, status, daily_limit, monthly_limit, concurrent_limit, max_team_members,
  trial_end_date, subscription_end_date, created_at
FROM `${project}.${dataset}.current_subscriptions`
WHERE tenant_id = @tenant_id
