-- Read, for each plan, how many active tenants it has and what they are doing.
-- Parameters: since TIMESTAMP, day_start TIMESTAMP, waiting_since TIMESTAMP, due_tenants ARRAY<STRING>
WITH due AS (
  SELECT tenant_id, COUNT(*) AS firings
  FROM UNNEST(@due_tenants) AS tenant_id
  GROUP BY tenant_id
),
runs AS (
  SELECT
    tenant_id,
    COUNTIF(status NOT IN ('COMPLETED', 'FAILED', 'CANCELLED')) AS running,
    COUNTIF(start_time >= @day_start) AS admitted,
    COUNTIF(status = 'COMPLETED' AND end_time >= @day_start) AS completed,
    COUNTIF(status = 'FAILED' AND end_time >= @day_start) AS failed,
    COUNTIF(status = 'FAILED' AND end_time >= @day_start AND error_reason = 'levelGivenUp') AS dead_letters
  FROM `${project}.${dataset}.current_pipeline_runs`
  WHERE start_time >= @since AND ticket IS NOT NULL
  GROUP BY tenant_id
),
entries AS (
  SELECT tenant_id, status, added_at, recorded_at
  FROM `${project}.${dataset}.tenant_pipeline_execution_queue`
  WHERE scheduled_time >= @waiting_since
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY tenant_id, queue_id
    ORDER BY
      status IN ('COMPLETED', 'FAILED', 'CANCELLED') DESC,
      IF(status IN ('COMPLETED', 'FAILED', 'CANCELLED'), recorded_at, NULL),
      recorded_at DESC
  ) = 1
),
refused AS (
  SELECT tenant_id, COUNT(DISTINCT CONCAT(config_id, ' ', FORMAT_TIMESTAMP('%s', scheduled_time))) AS firings
  FROM `${project}.${dataset}.tenant_scheduled_pipeline_runs`
  WHERE scheduled_time >= @waiting_since AND recorded_at >= @day_start AND status = 'FAILED' AND STARTS_WITH(scheduled_run_id, 'refused-')
  GROUP BY tenant_id
),
waiting AS (
  SELECT
    tenant_id,
    COUNTIF(status = 'QUEUED') AS queued,
    MIN(IF(status = 'QUEUED', added_at, NULL)) AS oldest_queued_at,
    COUNTIF(status = 'FAILED' AND recorded_at >= @day_start) AS refused
  FROM entries
  GROUP BY tenant_id
)
SELECT
  subscription.plan_name,
  COUNT(*) AS tenants,
  COALESCE(SUM(due.firings), 0) AS due,
  COALESCE(SUM(runs.running), 0) AS running,
  COALESCE(SUM(waiting.queued), 0) AS queued,
  COALESCE(SUM(runs.admitted), 0) AS admitted_today,
  COALESCE(SUM(runs.completed), 0) AS completed_today,
  COALESCE(SUM(runs.failed), 0) AS failed_today,
  COALESCE(SUM(waiting.refused), 0) + COALESCE(SUM(refused.firings), 0) AS refused_today,
  COALESCE(SUM(runs.dead_letters), 0) AS dead_letters_today,
  MIN(waiting.oldest_queued_at) AS oldest_queued_at
FROM `${project}.${dataset}.current_tenant_profiles` AS profile
JOIN `${project}.${dataset}.current_subscriptions` AS subscription ON subscription.tenant_id = profile.tenant_id
LEFT JOIN due ON due.tenant_id = profile.tenant_id
LEFT JOIN runs ON runs.tenant_id = profile.tenant_id
LEFT JOIN refused ON refused.tenant_id = profile.tenant_id
LEFT JOIN waiting ON waiting.tenant_id = profile.tenant_id
WHERE profile.status = 'ACTIVE'
GROUP BY subscription.plan_name
ORDER BY subscription.plan_name
