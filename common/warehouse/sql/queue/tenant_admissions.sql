-- Read, for each of many active tenants, what admissions decide on (as runs/admission does for one), and which of the asked runs have rows.
-- Parameters: tenant_ids ARRAY<STRING>, run_ids ARRAY<STRING>, since TIMESTAMP, recent_since TIMESTAMP, month_start TIMESTAMP, may_count_since TIMESTAMP, day_start TIMESTAMP
WITH runs AS (
  SELECT
    tenant_id, pipeline_id, pipeline_logging_id, ticket, status, start_time, trigger_type, trigger_by, bytes_held, bytes_billed,
    status IN ('COMPLETED', 'FAILED', 'CANCELLED') AS has_ended,
    status = 'FAILED' AND COALESCE(error_reason, '') IN ('bigqueryFailed', 'levelGivenUp', 'neverBegun') AS is_excused
  FROM `${project}.${dataset}.current_pipeline_runs`
  WHERE tenant_id IN UNNEST(@tenant_ids) AND start_time >= @recent_since AND ticket IS NOT NULL
),
earlier AS (
  SELECT tenant_id, MAX(ticket) AS last_ticket
  FROM `${project}.${dataset}.tenant_pipeline_runs`
  WHERE tenant_id IN UNNEST(@tenant_ids) AND start_time >= @since AND start_time < @recent_since AND ticket IS NOT NULL
  GROUP BY tenant_id
),
tickets AS (
  SELECT tenant_id, ticket FROM runs
  UNION ALL
  SELECT tenant_id, last_ticket FROM earlier
),
spans AS (
  SELECT tenant_id, ticket, LEAD(ticket) OVER (PARTITION BY tenant_id ORDER BY ticket) AS next_ticket
  FROM tickets
),
gaps AS (
  SELECT tenant_id, ARRAY_AGG(CONCAT(ticket, '-', next_ticket)) AS gaps
  FROM spans
  WHERE next_ticket > ticket + 1
  GROUP BY tenant_id
),
backfills AS (
  SELECT tenant_id, ARRAY_AGG(trigger_by) AS running_backfills
  FROM runs
  WHERE trigger_type = 'backfill' AND status NOT IN ('COMPLETED', 'FAILED', 'CANCELLED')
  GROUP BY tenant_id
),
schedules AS (
  SELECT tenant_id, ARRAY_AGG(CONCAT(pipeline_id, ' ', pipeline_logging_id) ORDER BY ticket) AS running_schedules
  FROM runs
  WHERE trigger_type = 'scheduler' AND status NOT IN ('COMPLETED', 'FAILED', 'CANCELLED')
  GROUP BY tenant_id
),
begun AS (
  SELECT tenant_id, ARRAY_AGG(CONCAT(status, ' ', pipeline_logging_id)) AS begun
  FROM runs
  WHERE pipeline_logging_id IN UNNEST(@run_ids)
  GROUP BY tenant_id
),
spent AS (
  SELECT
    tenant_id, pipeline_id,
    SUM(IF(has_ended, COALESCE(bytes_billed, bytes_held, 0), 0)) AS billed,
    SUM(IF(has_ended, 0, COALESCE(bytes_held, 0))) AS held,
    COUNTIF(NOT has_ended AND bytes_held IS NULL) AS boundless,
    COUNTIF(has_ended AND bytes_billed IS NULL AND bytes_held IS NULL) AS unknown
  FROM runs
  WHERE start_time >= @month_start
  GROUP BY tenant_id, pipeline_id
),
spending AS (
  SELECT tenant_id, ARRAY_AGG(CONCAT(pipeline_id, ' ', billed, ' ', held, ' ', boundless, ' ', unknown)) AS spending
  FROM spent
  GROUP BY tenant_id
),
used AS (
  SELECT
    tenant_id,
    COUNTIF(start_time >= @day_start AND NOT is_excused) AS today,
    COUNTIF(start_time >= @month_start) AS month,
    COUNTIF(status NOT IN ('COMPLETED', 'FAILED', 'CANCELLED')) AS running,
    COUNTIF(start_time >= @day_start AND trigger_type = 'scheduler' AND NOT is_excused) AS scheduled,
    MAX(ticket) AS last_ticket,
    IF(MIN(start_time) >= @may_count_since, MIN(ticket), 0) AS first_ticket
  FROM runs
  GROUP BY tenant_id
)
SELECT
  profile.tenant_id, profile.created_at < @since AS is_old, profile.budget, profile.operator_budget, subscription.plan_name,
  subscription.daily_limit, subscription.monthly_limit, subscription.concurrent_limit,
  COALESCE(used.today, 0) AS today,
  COALESCE(used.month, 0) AS month,
  COALESCE(used.running, 0) AS running,
  COALESCE(used.scheduled, 0) AS scheduled,
  COALESCE(used.last_ticket, earlier.last_ticket, 0) AS last_ticket,
  IF(earlier.last_ticket IS NULL, COALESCE(used.first_ticket, 0), 0) AS first_ticket,
  gaps.gaps, begun.begun, backfills.running_backfills, schedules.running_schedules, spending.spending
FROM `${project}.${dataset}.current_tenant_profiles` AS profile
JOIN `${project}.${dataset}.current_subscriptions` AS subscription
  ON subscription.tenant_id = profile.tenant_id AND subscription.status IN ('ACTIVE', 'TRIAL')
    AND (subscription.status != 'TRIAL' OR COALESCE(subscription.trial_end_date >= CAST(@day_start AS DATE), TRUE))
    AND COALESCE(subscription.subscription_end_date >= CAST(@day_start AS DATE), TRUE)
LEFT JOIN used ON used.tenant_id = profile.tenant_id
LEFT JOIN earlier ON earlier.tenant_id = profile.tenant_id
LEFT JOIN gaps ON gaps.tenant_id = profile.tenant_id
LEFT JOIN backfills ON backfills.tenant_id = profile.tenant_id
LEFT JOIN schedules ON schedules.tenant_id = profile.tenant_id
LEFT JOIN begun ON begun.tenant_id = profile.tenant_id
LEFT JOIN spending ON spending.tenant_id = profile.tenant_id
WHERE profile.tenant_id IN UNNEST(@tenant_ids) AND profile.status = 'ACTIVE'
