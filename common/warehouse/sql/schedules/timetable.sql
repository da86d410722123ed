-- Read the schedules of active tenants with how far each has come; tenant "" is every tenant.
-- Parameters: tenant_id STRING, since TIMESTAMP, refused_since TIMESTAMP, states_at TIMESTAMP
WITH fired AS (
  SELECT tenant_id, config_id, MAX(scheduled_time) AS last_fired
  FROM `${project}.${dataset}.tenant_scheduled_pipeline_runs`
  WHERE scheduled_time >= @since AND @tenant_id IN ('', tenant_id)
  GROUP BY tenant_id, config_id
),
refused AS (
  SELECT tenant_id, config_id, ARRAY_AGG(DISTINCT scheduled_run_id) AS refusals
  FROM `${project}.${dataset}.tenant_scheduled_pipeline_runs`
  WHERE scheduled_time >= @refused_since AND @tenant_id IN ('', tenant_id) AND STARTS_WITH(scheduled_run_id, 'refused-')
  GROUP BY tenant_id, config_id
),
states AS (
  SELECT tenant_id, config_id, status, recorded_at
  FROM `${project}.${dataset}.tenant_scheduled_pipeline_runs`
  WHERE scheduled_time = @states_at AND @tenant_id IN ('', tenant_id)
  QUALIFY ROW_NUMBER() OVER (PARTITION BY tenant_id, config_id ORDER BY recorded_at DESC) = 1
),
versions AS (
  -- What says when something is due, a default written out or not; how much may run at once and the like do not.
  SELECT
    tenant_id, config_id, version, is_active, recorded_at,
    CONCAT(
      JSON_VALUE(schedule, '$.cron'),
      '\n', COALESCE(JSON_VALUE(schedule, '$.timezone'), 'UTC'),
      '\n', COALESCE(JSON_VALUE(schedule, '$.start'), ''),
      '\n', COALESCE(JSON_VALUE(schedule, '$.end'), ''),
      '\n', COALESCE(JSON_VALUE(schedule, '$.catch_up'), 'none'),
      '\n', COALESCE(JSON_VALUE(schedule, '$.enabled'), 'true')
    ) AS times
  FROM `${project}.${dataset}.tenant_pipeline_configs`
  WHERE @tenant_id IN ('', tenant_id)
),
changes AS (
  SELECT
    tenant_id, config_id, recorded_at, times,
    LAG(IF(is_active, times, NULL)) OVER (PARTITION BY tenant_id, config_id ORDER BY version) AS times_before
  FROM versions
),
begun AS (
  -- When each schedule came to be as it is: a new version with the same times begins none.
  SELECT tenant_id, config_id, MAX(recorded_at) AS began_at
  FROM changes
  WHERE times_before IS NULL OR times_before != times
  GROUP BY tenant_id, config_id
)
SELECT
  config.tenant_id, config.config_id, config.version, config.priority, config.schedule_cron,
  TO_JSON_STRING(config.schedule) AS schedule,
  IF(states.status = 'ACTIVE', GREATEST(begun.began_at, states.recorded_at), begun.began_at) AS since,
  fired.last_fired,
  refused.refusals,
  COALESCE(states.status = 'PAUSED', FALSE) AS is_paused
FROM `${project}.${dataset}.current_pipeline_configs` AS config
JOIN `${project}.${dataset}.current_tenant_profiles` AS profile
  ON profile.tenant_id = config.tenant_id AND profile.status = 'ACTIVE'
JOIN begun ON begun.tenant_id = config.tenant_id AND begun.config_id = config.config_id
LEFT JOIN fired ON fired.tenant_id = config.tenant_id AND fired.config_id = config.config_id
LEFT JOIN refused ON refused.tenant_id = config.tenant_id AND refused.config_id = config.config_id
LEFT JOIN states ON states.tenant_id = config.tenant_id AND states.config_id = config.config_id
WHERE config.is_active AND config.schedule_cron IS NOT NULL AND @tenant_id IN ('', config.tenant_id)
ORDER BY config.tenant_id, config.config_id
