-- Append a subscription's state.
-- Parameters: subscription_id STRING, tenant_id STRING, plan_name STRING, status STRING, daily_limit INT64, monthly_limit INT64, concurrent_limit INT64, max_team_members INT64, trial_end_date DATE, subscription_end_date DATE, created_at TIMESTAMP, recorded_at TIMESTAMP
INSERT INTO `${project}.${dataset}.tenant_subscriptions` (
  subscription_id, tenant_id, plan_name, status, daily_limit, monthly_limit, concurrent_limit, max_team_members,
  trial_end_date, subscription_end_date, created_at, recorded_at
)
VALUES (
  @subscription_id, @tenant_id, @plan_name, @status, @daily_limit, @monthly_limit, @concurrent_limit,
  @max_team_members, @trial_end_date, @subscription_end_date, @created_at, @recorded_at
)
