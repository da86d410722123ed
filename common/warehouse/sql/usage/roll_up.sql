-- Append today's and yesterday's use of every tenant whose runs have changed since a moment: one row per tenant and UTC day.
-- Parameters: changed_since TIMESTAMP, month_start TIMESTAMP, yesterday DATE, now TIMESTAMP
INSERT INTO `${project}.${dataset}.tenant_usage_quotas` (
  usage_id, tenant_id, usage_date, pipelines_run_today, pipelines_succeeded_today, pipelines_failed_today, pipelines_run_month,
  concurrent_pipelines_running, daily_limit, monthly_limit, concurrent_limit, max_concurrent_reached,
  last_pipeline_completed_at, created_at, recorded_at
)
WITH runs AS (
  SELECT tenant_id, DATE(start_time) AS day, status, start_time, end_time, recorded_at
  FROM `${project}.${dataset}.current_pipeline_runs`
  WHERE start_time >= @month_start AND ticket IS NOT NULL
),
days AS (
  SELECT
    tenant_id, day,
    COUNT(*) AS run_count,
    COUNTIF(status = 'COMPLETED') AS succeeded,
    COUNTIF(status = 'FAILED') AS failed,
    MAX(end_time) AS last_ended_at,
    MAX(recorded_at) AS changed_at
  FROM runs
  GROUP BY tenant_id, day
),
months AS (
  SELECT
    this.tenant_id, this.day,
    SUM(IF(DATE_TRUNC(earlier.day, MONTH) = DATE_TRUNC(this.day, MONTH), earlier.run_count, 0)) AS run_count
  FROM days AS this
  JOIN days AS earlier ON earlier.tenant_id = this.tenant_id AND earlier.day <= this.day
  GROUP BY this.tenant_id, this.day
),
running AS (
  SELECT tenant_id, COUNT(*) AS run_count
  FROM runs
  WHERE status NOT IN ('COMPLETED', 'FAILED', 'CANCELLED')
  GROUP BY tenant_id
),
overlaps AS (
  SELECT this.tenant_id, this.day, this.start_time, COUNT(*) AS run_count
  FROM runs AS this
  JOIN runs AS other
    ON other.tenant_id = this.tenant_id AND other.start_time <= this.start_time
      AND COALESCE(other.end_time, @now) > this.start_time
  WHERE this.day >= @yesterday
  GROUP BY this.tenant_id, this.day, this.start_time
),
peaks AS (
  SELECT tenant_id, day, MAX(run_count) AS run_count
  FROM overlaps
  GROUP BY tenant_id, day
),
known AS (
  SELECT usage_id, MIN(created_at) AS created_at
  FROM `${project}.${dataset}.tenant_usage_quotas`
  WHERE usage_date >= @yesterday
  GROUP BY usage_id
)
SELECT
  CONCAT(days.tenant_id, '_', FORMAT_DATE('%Y%m%d', days.day)), days.tenant_id, days.day,
  days.run_count, days.succeeded, days.failed, months.run_count,
  COALESCE(running.run_count, 0),
  subscription.daily_limit, subscription.monthly_limit, subscription.concurrent_limit,
  peaks.run_count, days.last_ended_at, COALESCE(known.created_at, @now), @now
FROM days
JOIN months ON months.tenant_id = days.tenant_id AND months.day = days.day
JOIN peaks ON peaks.tenant_id = days.tenant_id AND peaks.day = days.day
JOIN `${project}.${dataset}.current_subscriptions` AS subscription ON subscription.tenant_id = days.tenant_id
LEFT JOIN running ON running.tenant_id = days.tenant_id
LEFT JOIN known ON known.usage_id = CONCAT(days.tenant_id, '_', FORMAT_DATE('%Y%m%d', days.day))
WHERE days.day >= @yesterday AND days.changed_at >= @changed_since
