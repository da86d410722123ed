-- Read runs with their progress: their config's text, the steps that have completed, when they were last heard of and what last stopped them; tenant "" is every tenant.
-- Parameters: tenant_id STRING, run_ids ARRAY<STRING>, since TIMESTAMP
WITH attempts AS (
  -- Of each attempt at a job its end, or else its latest row.
  SELECT pipeline_logging_id, level, status, end_time, job_id, job_project, bytes_billed
  FROM `${project}.${dataset}.tenant_step_logs`
  WHERE @tenant_id IN ('', tenant_id) AND start_time >= @since AND pipeline_logging_id IN UNNEST(@run_ids)
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY tenant_id, pipeline_logging_id, step_id, COALESCE(job_index, 0), attempt
    ORDER BY
      status IN ('COMPLETED', 'FAILED', 'CANCELLED', 'SKIPPED') DESC,
      IF(status IN ('COMPLETED', 'FAILED', 'CANCELLED', 'SKIPPED'), recorded_at, NULL),
      end_time IS NOT NULL DESC,
      recorded_at DESC
  ) = 1
),
levels AS (
  SELECT pipeline_logging_id, level, IF(COUNTIF(bytes_billed IS NULL) > 0, NULL, SUM(bytes_billed)) AS bytes_billed
  FROM attempts
  -- BigQuery bills nothing for a query that ends in an error; a step that failed by its checks has one that did well.
  WHERE end_time IS NOT NULL AND job_id IS NOT NULL AND job_project IS NULL
    AND (status != 'FAILED' OR bytes_billed IS NOT NULL)
  GROUP BY pipeline_logging_id, level
),
billed AS (
  SELECT pipeline_logging_id, ARRAY_AGG(CONCAT(level, ' ', COALESCE(CAST(bytes_billed AS STRING), 'NULL'))) AS billed
  FROM levels
  GROUP BY pipeline_logging_id
),
steps AS (
  SELECT
    pipeline_logging_id,
    ARRAY_AGG(IF(status = 'COMPLETED', step_id, NULL) IGNORE NULLS) AS completed_steps,
    ARRAY_AGG(IF(status = 'SKIPPED', step_id, NULL) IGNORE NULLS) AS skipped_steps,
    MAX(IF(status = 'SKIPPED', NULL, level)) AS reached_level,
    ARRAY_AGG(
      IF(status = 'RUNNING', error_message, NULL)
      ORDER BY IF(status = 'RUNNING' AND error_message IS NOT NULL, recorded_at, NULL) DESC LIMIT 1
    )[SAFE_OFFSET(0)] AS last_trouble,
    MAX(recorded_at) AS recorded_at
  FROM `${project}.${dataset}.tenant_step_logs`
  WHERE @tenant_id IN ('', tenant_id) AND start_time >= @since AND pipeline_logging_id IN UNNEST(@run_ids)
  GROUP BY pipeline_logging_id
)
SELECT
  run.tenant_id, run.pipeline_logging_id, run.pipeline_id, run.config_version, run.ticket, run.start_time, run.run_date, run.bytes_held,
  run.status, run.trigger_type, run.trigger_by, run.tenant_api_key_id, run.user_id,
  TO_JSON_STRING(run.parameters) AS parameters,
  TO_JSON_STRING(run.run_metadata) AS run_metadata,
  config.pipeline_yaml, config.priority, profile.isolation, profile.sources,
  steps.pipeline_logging_id IS NOT NULL AS has_begun,
  steps.completed_steps, steps.skipped_steps, steps.reached_level, steps.last_trouble, billed.billed,
  GREATEST(run.recorded_at, COALESCE(steps.recorded_at, run.recorded_at)) AS last_activity
FROM `${project}.${dataset}.current_pipeline_runs` AS run
LEFT JOIN `${project}.${dataset}.tenant_pipeline_configs` AS config
  ON config.tenant_id = run.tenant_id AND config.config_id = run.pipeline_id
    AND config.version = run.config_version AND config.is_active
LEFT JOIN `${project}.${dataset}.current_tenant_profiles` AS profile ON profile.tenant_id = run.tenant_id
LEFT JOIN steps ON steps.pipeline_logging_id = run.pipeline_logging_id
LEFT JOIN billed ON billed.pipeline_logging_id = run.pipeline_logging_id
WHERE @tenant_id IN ('', run.tenant_id) AND run.start_time >= @since AND run.pipeline_logging_id IN UNNEST(@run_ids)
