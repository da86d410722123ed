-- Read the firings of a tenant that no run has come of, those of one UTC day and one reason as one row; refusal "" is every one.
-- Parameters: tenant_id STRING, refusal_id STRING, since TIMESTAMP
WITH refused AS (
  -- Of two dispatchers that have refused the same firing, the first one's reason counts.
  SELECT
    scheduled_run_id, tenant_id, config_id, status, scheduled_time, error_message, created_at, recorded_at,
    JSON_VALUE(parameters, '$.run_id') AS run_id,
    CAST(JSON_VALUE(parameters, '$.config_version') AS INT64) AS config_version,
    CAST(JSON_VALUE(parameters, '$.run_date') AS DATE) AS run_date,
    JSON_VALUE(parameters, '$.interval_start') AS interval_start,
    JSON_VALUE(parameters, '$.interval_end') AS interval_end
  FROM `${project}.${dataset}.tenant_scheduled_pipeline_runs`
  WHERE tenant_id = @tenant_id AND scheduled_time >= @since AND STARTS_WITH(scheduled_run_id, 'refused-')
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY tenant_id, config_id, scheduled_time
    ORDER BY
      status IN ('COMPLETED', 'FAILED', 'CANCELLED') DESC,
      IF(status IN ('COMPLETED', 'FAILED', 'CANCELLED'), recorded_at, NULL),
      recorded_at DESC
  ) = 1
),
begun AS (
  SELECT pipeline_logging_id AS run_id
  FROM `${project}.${dataset}.tenant_pipeline_runs`
  WHERE tenant_id = @tenant_id AND start_time >= @since
  UNION DISTINCT
  SELECT queue_id AS run_id
  FROM `${project}.${dataset}.tenant_pipeline_execution_queue`
  WHERE tenant_id = @tenant_id AND scheduled_time >= @since
),
counted AS (
  SELECT
    refused.*,
    COUNT(*) OVER (PARTITION BY scheduled_run_id) AS firings,
    MIN(scheduled_time) OVER (PARTITION BY scheduled_run_id) AS first_time,
    MIN(created_at) OVER (PARTITION BY scheduled_run_id) AS asked_at,
    MAX(recorded_at) OVER (PARTITION BY scheduled_run_id) AS last_recorded_at,
    ROW_NUMBER() OVER (PARTITION BY scheduled_run_id ORDER BY scheduled_time DESC) AS place
  FROM refused
  LEFT JOIN begun ON begun.run_id = refused.run_id
  WHERE begun.run_id IS NULL AND @refusal_id IN ('', scheduled_run_id)
)
SELECT
  scheduled_run_id, tenant_id, config_id, status, scheduled_time AS last_time, error_message, config_version, run_date,
  interval_start, interval_end, firings, first_time, asked_at, last_recorded_at
FROM counted
WHERE place = 1
ORDER BY last_recorded_at DESC, scheduled_run_id
