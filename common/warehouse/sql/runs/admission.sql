-- Read, in one row, all that an admission decides on: the tenant, its plan, its use, its tickets, the config, and the run that has this ID already.
-- Parameters: tenant_id STRING, config_id STRING, run_id STRING, since TIMESTAMP, month_start TIMESTAMP, may_count_since TIMESTAMP, day_start TIMESTAMP
WITH profile AS (
  SELECT status, isolation, sources
  FROM `${project}.${dataset}.current_tenant_profiles`
  WHERE tenant_id = @tenant_id
),
subscription AS (
  SELECT daily_limit, monthly_limit, concurrent_limit
  FROM `${project}.${dataset}.current_subscriptions`
  WHERE tenant_id = @tenant_id AND status IN ('ACTIVE', 'TRIAL')
),
config AS (
  SELECT config_id, version, pipeline_yaml
  FROM `${project}.${dataset}.current_pipeline_configs`
  WHERE tenant_id = @tenant_id AND config_id = @config_id AND is_active
),
runs AS (
  SELECT pipeline_logging_id, ticket, status, start_time, pipeline_id, config_version, run_date, trigger_type, trigger_by,
    JSON_VALUE(run_metadata, '$.request_hash') AS request_hash,
    TO_JSON_STRING(JSON_QUERY(run_metadata, '$.sealed_parameters')) AS sealed_parameters
  FROM `${project}.${dataset}.current_pipeline_runs`
  WHERE tenant_id = @tenant_id AND start_time >= @since AND ticket IS NOT NULL
),
spans AS (
  SELECT ticket, LEAD(ticket) OVER (ORDER BY ticket) AS next_ticket
  FROM runs
),
used AS (
  SELECT
    COUNTIF(start_time >= @day_start) AS today,
    COUNTIF(start_time >= @month_start) AS month,
    COUNTIF(status NOT IN ('COMPLETED', 'FAILED', 'CANCELLED')) AS running,
    COALESCE(MAX(ticket), 0) AS last_ticket,
    IF(MIN(start_time) >= @may_count_since, MIN(ticket), 0) AS first_ticket
  FROM runs
)
SELECT
  (SELECT status FROM profile) AS tenant_status,
  (SELECT isolation FROM profile) AS isolation,
  ARRAY(SELECT source FROM profile, UNNEST(profile.sources) AS source) AS sources,
  (SELECT daily_limit FROM subscription) AS daily_limit,
  (SELECT monthly_limit FROM subscription) AS monthly_limit,
  (SELECT concurrent_limit FROM subscription) AS concurrent_limit,
  (SELECT version FROM config) AS config_version,
  (SELECT pipeline_yaml FROM config) AS pipeline_yaml,
  used.today, used.month, used.running, used.last_ticket, used.first_ticket,
  ARRAY(SELECT CONCAT(ticket, '-', next_ticket) FROM spans WHERE next_ticket > ticket + 1) AS gaps,
  ARRAY(SELECT trigger_by FROM runs WHERE trigger_type = 'backfill' AND status NOT IN ('COMPLETED', 'FAILED', 'CANCELLED')) AS running_backfills,
  ARRAY(
    SELECT AS STRUCT ticket, status, start_time, pipeline_id, config_version, run_date, trigger_type, trigger_by, request_hash,
      sealed_parameters
    FROM runs WHERE pipeline_logging_id = @run_id
  ) AS repeated
FROM used
