-- Read, in one row, all that an admission decides on: the tenant, its plan, its use, its tickets, the config, and the run that has this ID already.
-- Parameters: tenant_id STRING, config_id STRING, run_id STRING, since TIMESTAMP, recent_since TIMESTAMP, month_start TIMESTAMP, may_count_since TIMESTAMP, day_start TIMESTAMP
WITH profile AS (
  SELECT status, isolation, sources, budget, operator_budget, created_at
  FROM `${project}.${dataset}.current_tenant_profiles`
  WHERE tenant_id = @tenant_id
),
subscription AS (
  SELECT status, trial_end_date, subscription_end_date, plan_name, daily_limit, monthly_limit, concurrent_limit
  FROM `${project}.${dataset}.current_subscriptions`
  WHERE tenant_id = @tenant_id
),
config AS (
  SELECT config_id, version, pipeline_yaml, priority
  FROM `${project}.${dataset}.current_pipeline_configs`
  WHERE tenant_id = @tenant_id AND config_id = @config_id AND is_active
),
runs AS (
  SELECT
    ticket, status, start_time, trigger_type, trigger_by, pipeline_id, pipeline_logging_id, bytes_held, bytes_billed,
    status IN ('COMPLETED', 'FAILED', 'CANCELLED') AS has_ended,
    -- BigQuery's fault, or the platform's: it does not count against the day.
    status = 'FAILED' AND COALESCE(error_reason, '') IN ('bigqueryFailed', 'levelGivenUp', 'neverBegun') AS is_excused
  FROM `${project}.${dataset}.current_pipeline_runs`
  WHERE tenant_id = @tenant_id AND start_time >= @recent_since AND ticket IS NOT NULL
),
-- What is older counts for nothing any more; only the numbers go on, and two columns tell them.
earlier AS (
  SELECT MAX(ticket) AS last_ticket
  FROM `${project}.${dataset}.tenant_pipeline_runs`
  WHERE tenant_id = @tenant_id AND start_time >= @since AND start_time < @recent_since
),
repeated AS (
  SELECT ticket, status, start_time, pipeline_id, config_version, run_date, trigger_type, trigger_by,
    JSON_VALUE(run_metadata, '$.request_hash') AS request_hash,
    JSON_VALUE(run_metadata, '$.retry_of') AS retry_of,
    JSON_VALUE(run_metadata, '$.interval_start') AS interval_start,
    JSON_VALUE(run_metadata, '$.interval_end') AS interval_end,
    TO_JSON_STRING(JSON_QUERY(run_metadata, '$.sealed_parameters')) AS sealed_parameters
  FROM `${project}.${dataset}.current_pipeline_runs`
  WHERE tenant_id = @tenant_id AND pipeline_logging_id = @run_id AND start_time >= @since AND ticket IS NOT NULL
),
tickets AS (
  SELECT ticket FROM runs
  UNION ALL
  SELECT last_ticket FROM earlier WHERE last_ticket IS NOT NULL
),
spans AS (
  SELECT ticket, LEAD(ticket) OVER (ORDER BY ticket) AS next_ticket
  FROM tickets
),
spent AS (
  -- What nobody knows of a run that has ended counts as what it held.
  SELECT
    pipeline_id,
    SUM(IF(has_ended, COALESCE(bytes_billed, bytes_held, 0), 0)) AS billed,
    SUM(IF(has_ended, 0, COALESCE(bytes_held, 0))) AS held,
    COUNTIF(NOT has_ended AND bytes_held IS NULL) AS boundless,
    COUNTIF(has_ended AND bytes_billed IS NULL AND bytes_held IS NULL) AS unknown
  FROM runs
  WHERE start_time >= @month_start
  GROUP BY pipeline_id
),
used AS (
  SELECT
    COUNTIF(start_time >= @day_start AND NOT is_excused) AS today,
    COUNTIF(start_time >= @month_start) AS month,
    COUNTIF(status NOT IN ('COMPLETED', 'FAILED', 'CANCELLED')) AS running,
    COUNTIF(start_time >= @day_start AND trigger_type = 'scheduler' AND NOT is_excused) AS scheduled,
    MAX(ticket) AS last_ticket,
    IF(MIN(start_time) >= @may_count_since, MIN(ticket), 0) AS first_ticket
  FROM runs
)
SELECT
  (SELECT status FROM profile) AS tenant_status,
  (SELECT created_at < @since FROM profile) AS is_old,
  (SELECT isolation FROM profile) AS isolation,
  (SELECT budget FROM profile) AS budget,
  (SELECT operator_budget FROM profile) AS operator_budget,
  (SELECT plan_name FROM subscription) AS plan_name,
  ARRAY(SELECT source FROM profile, UNNEST(profile.sources) AS source) AS sources,
  (SELECT status FROM subscription) AS subscription_status,
  (SELECT trial_end_date FROM subscription) AS trial_end_date,
  (SELECT subscription_end_date FROM subscription) AS subscription_end_date,
  (SELECT daily_limit FROM subscription) AS daily_limit,
  (SELECT monthly_limit FROM subscription) AS monthly_limit,
  (SELECT concurrent_limit FROM subscription) AS concurrent_limit,
  (SELECT version FROM config) AS config_version,
  (SELECT pipeline_yaml FROM config) AS pipeline_yaml,
  (SELECT priority FROM config) AS priority,
  used.today, used.month, used.running, used.scheduled,
  COALESCE(used.last_ticket, earlier.last_ticket, 0) AS last_ticket,
  IF(earlier.last_ticket IS NULL, used.first_ticket, 0) AS first_ticket,
  ARRAY(SELECT CONCAT(ticket, '-', next_ticket) FROM spans WHERE next_ticket > ticket + 1) AS gaps,
  ARRAY(SELECT trigger_by FROM runs WHERE trigger_type = 'backfill' AND status NOT IN ('COMPLETED', 'FAILED', 'CANCELLED')) AS running_backfills,
  ARRAY(SELECT CONCAT(pipeline_id, ' ', billed, ' ', held, ' ', boundless, ' ', unknown) FROM spent) AS spending,
  ARRAY(
    SELECT CONCAT(pipeline_id, ' ', pipeline_logging_id)
    FROM runs
    WHERE trigger_type = 'scheduler' AND status NOT IN ('COMPLETED', 'FAILED', 'CANCELLED')
    ORDER BY ticket
  ) AS running_schedules,
  ARRAY(
    SELECT AS STRUCT ticket, status, start_time, pipeline_id, config_version, run_date, trigger_type, trigger_by, request_hash, retry_of,
      interval_start, interval_end, sealed_parameters
    FROM repeated
  ) AS repeated
FROM used
CROSS JOIN earlier
