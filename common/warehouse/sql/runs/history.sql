-- Read a page of a tenant's runs, those in the queue too, the last asked for first; "" leaves a filter out.
-- Parameters: tenant_id STRING, since TIMESTAMP, until TIMESTAMP, due_since TIMESTAMP, started_before TIMESTAMP, status STRING, config_id STRING, before_time TIMESTAMP, before_id STRING, page_size INT64
WITH started AS (
  SELECT DISTINCT pipeline_logging_id
  FROM `${project}.${dataset}.tenant_step_logs`
  WHERE tenant_id = @tenant_id AND start_time >= @since
),
retries AS (
  SELECT retry_of, ARRAY_AGG(pipeline_logging_id ORDER BY start_time, ticket) AS retried_by
  FROM (
    SELECT pipeline_logging_id, start_time, ticket, JSON_VALUE(run_metadata, '$.retry_of') AS retry_of
    FROM `${project}.${dataset}.current_pipeline_runs`
    WHERE tenant_id = @tenant_id AND start_time >= @since
  )
  WHERE retry_of IS NOT NULL
  GROUP BY retry_of
),
begun AS (
  SELECT
    run.pipeline_logging_id, run.tenant_id, run.pipeline_id, run.config_version,
    IF(run.status = 'PENDING' AND started.pipeline_logging_id IS NOT NULL, 'RUNNING', run.status) AS status,
    run.trigger_type, run.trigger_by, run.start_time, run.end_time, run.duration_ms, run.run_date, run.error_message,
    CAST(JSON_VALUE(run.run_metadata, '$.interval_start') AS TIMESTAMP) AS interval_start,
    CAST(JSON_VALUE(run.run_metadata, '$.interval_end') AS TIMESTAMP) AS interval_end,
    CAST(JSON_VALUE(run.run_metadata, '$.queued_at') AS TIMESTAMP) AS queued_at,
    JSON_VALUE(run.run_metadata, '$.retry_of') AS retry_of,
    TO_JSON_STRING(JSON_QUERY(run.run_metadata, '$.left_out')) AS left_out
  FROM `${project}.${dataset}.current_pipeline_runs` AS run
  LEFT JOIN started ON started.pipeline_logging_id = run.pipeline_logging_id
  WHERE run.tenant_id = @tenant_id AND run.start_time >= @since AND run.start_time < @started_before
),
entries AS (
  SELECT
    queue_id, tenant_id, config_id, status, status IN ('FAILED', 'CANCELLED') AS has_ended, added_at, recorded_at, error_message,
    JSON_VALUE(run_metadata, '$.config_version') AS config_version,
    JSON_VALUE(run_metadata, '$.run_date') AS run_date,
    JSON_VALUE(run_metadata, '$.interval_start') AS interval_start,
    JSON_VALUE(run_metadata, '$.interval_end') AS interval_end,
    JSON_VALUE(run_metadata, '$.trigger_type') AS trigger_type,
    JSON_VALUE(run_metadata, '$.trigger_by') AS trigger_by,
    TO_JSON_STRING(JSON_QUERY(run_metadata, '$.left_out')) AS left_out
  FROM `${project}.${dataset}.tenant_pipeline_execution_queue`
  WHERE tenant_id = @tenant_id AND scheduled_time >= @due_since AND scheduled_time < @until
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY tenant_id, queue_id
    ORDER BY
      status IN ('COMPLETED', 'FAILED', 'CANCELLED') DESC,
      IF(status IN ('COMPLETED', 'FAILED', 'CANCELLED'), recorded_at, NULL),
      recorded_at DESC
  ) = 1
),
refused AS (
  -- Firings that no run has come of; of two dispatchers that have refused the same one, the first one's reason counts.
  SELECT
    scheduled_run_id, tenant_id, config_id, status, scheduled_time, error_message, created_at, recorded_at,
    JSON_VALUE(parameters, '$.run_id') AS run_id,
    JSON_VALUE(parameters, '$.config_version') AS config_version,
    JSON_VALUE(parameters, '$.run_date') AS run_date,
    JSON_VALUE(parameters, '$.interval_start') AS interval_start,
    JSON_VALUE(parameters, '$.interval_end') AS interval_end
  FROM `${project}.${dataset}.tenant_scheduled_pipeline_runs`
  WHERE tenant_id = @tenant_id AND scheduled_time >= @due_since AND scheduled_time < @until
    AND STARTS_WITH(scheduled_run_id, 'refused-')
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY tenant_id, config_id, scheduled_time
    ORDER BY
      status IN ('COMPLETED', 'FAILED', 'CANCELLED') DESC,
      IF(status IN ('COMPLETED', 'FAILED', 'CANCELLED'), recorded_at, NULL),
      recorded_at DESC
  ) = 1
),
refusals AS (
  -- Those of one day and one reason are one entry, in which the last one's time stands, and the first one's place.
  SELECT
    refused.*,
    COUNT(*) OVER (PARTITION BY scheduled_run_id) AS firings,
    MIN(scheduled_time) OVER (PARTITION BY scheduled_run_id) AS first_time,
    MIN(created_at) OVER (PARTITION BY scheduled_run_id) AS refused_at,
    MAX(refused.recorded_at) OVER (PARTITION BY scheduled_run_id) AS ended_at,
    ROW_NUMBER() OVER (PARTITION BY scheduled_run_id ORDER BY scheduled_time DESC) AS place
  FROM refused
  LEFT JOIN begun ON begun.pipeline_logging_id = refused.run_id
  LEFT JOIN entries ON entries.queue_id = refused.run_id
  WHERE begun.pipeline_logging_id IS NULL AND entries.queue_id IS NULL
),
runs AS (
  SELECT
    pipeline_logging_id, tenant_id, pipeline_id, config_version, status, trigger_type, trigger_by, start_time, end_time,
    duration_ms, run_date, interval_start, interval_end, error_message, queued_at, retry_of, left_out,
    CAST(NULL AS INT64) AS refused_firings, CAST(NULL AS TIMESTAMP) AS first_refused_time, CAST(NULL AS TIMESTAMP) AS last_refused_time
  FROM begun
  UNION ALL
  SELECT
    entry.queue_id, entry.tenant_id, entry.config_id, CAST(entry.config_version AS INT64),
    IF(entry.status = 'COMPLETED', 'PENDING', entry.status), -- it has begun, and its own row cannot be read yet
    entry.trigger_type, entry.trigger_by, entry.added_at, IF(entry.has_ended, entry.recorded_at, NULL),
    NULL, CAST(entry.run_date AS DATE), CAST(entry.interval_start AS TIMESTAMP), CAST(entry.interval_end AS TIMESTAMP),
    entry.error_message, entry.added_at, CAST(NULL AS STRING), entry.left_out, NULL, NULL, NULL
  FROM entries AS entry
  LEFT JOIN begun ON begun.pipeline_logging_id = entry.queue_id
  WHERE begun.pipeline_logging_id IS NULL
  UNION ALL
  SELECT
    scheduled_run_id, tenant_id, config_id, CAST(config_version AS INT64), status, 'scheduler', 'scheduler', refused_at, ended_at,
    NULL, CAST(run_date AS DATE), CAST(interval_start AS TIMESTAMP), CAST(interval_end AS TIMESTAMP), error_message,
    CAST(NULL AS TIMESTAMP), CAST(NULL AS STRING), CAST(NULL AS STRING), firings, first_time, scheduled_time
  FROM refusals
  WHERE place = 1
),
placed AS (
  SELECT *, COALESCE(queued_at, start_time) AS asked_at
  FROM runs
)
SELECT
  placed.pipeline_logging_id, placed.tenant_id, placed.pipeline_id, placed.config_version, placed.status, placed.trigger_type,
  placed.trigger_by, placed.queued_at, placed.start_time, placed.end_time, placed.duration_ms, placed.run_date,
  placed.interval_start, placed.interval_end, placed.error_message, placed.retry_of, placed.left_out, retries.retried_by,
  placed.refused_firings, placed.first_refused_time, placed.last_refused_time
FROM placed
LEFT JOIN retries ON retries.retry_of = placed.pipeline_logging_id
WHERE asked_at >= @since AND asked_at < @until
  AND @status IN ('', status)
  AND @config_id IN ('', pipeline_id)
  AND (asked_at < @before_time OR (asked_at = @before_time AND pipeline_logging_id < @before_id))
ORDER BY asked_at DESC, pipeline_logging_id DESC
LIMIT @page_size
