-- Show one tenant all that the platform knows of it: one row per run of the last 400 days, or one row without a run.
-- Parameters: none
CREATE OR REPLACE VIEW `${project}.${tenant_id}.tenant_comprehensive_view`
OPTIONS (
  description = 'Profile, subscription, use of today and runs of this tenant; filter by pipeline_start_time.',
  labels = [('managed_by', 'convergence'), ('definition', '${definition}')]
)
AS
-- Tables only, no current_* views: this view is authorized on the central dataset, a view below it would not be.
WITH profile AS (
  SELECT *
  FROM `${project}.${dataset}.tenant_profiles`
  WHERE tenant_id = '${tenant_id}'
  QUALIFY ROW_NUMBER() OVER (PARTITION BY tenant_id ORDER BY recorded_at DESC) = 1
),
subscription AS (
  SELECT *
  FROM `${project}.${dataset}.tenant_subscriptions`
  WHERE tenant_id = '${tenant_id}'
  QUALIFY ROW_NUMBER() OVER (PARTITION BY tenant_id ORDER BY recorded_at DESC) = 1
),
config AS (
  SELECT config_id, version, pipeline_name, pipeline_version
  FROM `${project}.${dataset}.tenant_pipeline_configs`
  WHERE tenant_id = '${tenant_id}'
  QUALIFY ROW_NUMBER() OVER (PARTITION BY config_id, version ORDER BY recorded_at DESC) = 1
),
job AS (
  -- Of each attempt at a job its end, or else its latest row.
  SELECT *
  FROM `${project}.${dataset}.tenant_step_logs`
  WHERE tenant_id = '${tenant_id}'
    AND start_time >= TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 400 DAY)
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY pipeline_logging_id, step_id, COALESCE(job_index, 0), attempt
    ORDER BY
      status IN ('COMPLETED', 'FAILED', 'CANCELLED', 'SKIPPED') DESC,
      IF(status IN ('COMPLETED', 'FAILED', 'CANCELLED', 'SKIPPED'), recorded_at, NULL),
      end_time IS NOT NULL DESC,
      recorded_at DESC
  ) = 1
),
step AS (
  -- What its last job came to, and the bytes of all its jobs.
  SELECT
    * EXCEPT (bytes_billed),
    SUM(bytes_billed) OVER (PARTITION BY pipeline_logging_id, step_id) AS bytes_billed
  FROM job
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY pipeline_logging_id, step_id
    ORDER BY
      COALESCE(job_index, 0) DESC,
      attempt DESC,
      status IN ('COMPLETED', 'FAILED', 'CANCELLED', 'SKIPPED') DESC,
      IF(status IN ('COMPLETED', 'FAILED', 'CANCELLED', 'SKIPPED'), recorded_at, NULL),
      recorded_at DESC
  ) = 1
),
steps_of_run AS (
  SELECT
    pipeline_logging_id,
    COUNT(*) AS total_steps,
    COUNTIF(status = 'COMPLETED') AS steps_completed,
    COUNTIF(status = 'FAILED') AS steps_failed,
    COUNTIF(status = 'RUNNING') AS steps_running,
    COUNTIF(status = 'SKIPPED') AS steps_skipped,
    SUM(rows_processed) AS total_rows_processed,
    SUM(bytes_billed) AS total_bytes_billed,
    ARRAY_AGG(
      IF(status = 'FAILED', STRUCT(step_id AS step_name, error_message AS error_message, end_time AS failed_at), NULL)
      IGNORE NULLS ORDER BY step_index
    ) AS failed_steps_details
  FROM step
  GROUP BY pipeline_logging_id
),
quality_result AS (
  SELECT *
  FROM `${project}.${dataset}.tenant_dq_results`
  WHERE tenant_id = '${tenant_id}'
    AND ingestion_date >= DATE_SUB(CURRENT_DATE(), INTERVAL 400 DAY)
  QUALIFY ROW_NUMBER() OVER (PARTITION BY dq_result_id ORDER BY recorded_at) = 1
),
quality_of_run AS (
  SELECT
    pipeline_logging_id,
    COUNT(*) AS total_dq_checks,
    COUNTIF(status = 'PASSED') AS dq_checks_passed,
    COUNTIF(status = 'WARNED') AS dq_checks_warning,
    COUNTIF(status = 'FAILED') AS dq_checks_failed,
    ARRAY_AGG(
      IF(
        status = 'FAILED',
        STRUCT(target_table AS table_name, check_name AS check_name, details AS failures, executed_at AS checked_at),
        NULL
      )
      IGNORE NULLS ORDER BY executed_at, check_name
    ) AS failed_dq_details
  FROM quality_result
  GROUP BY pipeline_logging_id
),
latest_run AS (
  SELECT *
  FROM `${project}.${dataset}.tenant_pipeline_runs`
  WHERE tenant_id = '${tenant_id}'
    AND start_time >= TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 400 DAY)
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY start_time, pipeline_logging_id
    ORDER BY
      status IN ('COMPLETED', 'FAILED', 'CANCELLED') DESC,
      IF(status IN ('COMPLETED', 'FAILED', 'CANCELLED'), recorded_at, NULL),
      recorded_at DESC
  ) = 1
),
run AS (
  SELECT
    latest_run.* EXCEPT (status),
    IF(latest_run.status = 'PENDING' AND steps_of_run.total_steps > 0, 'RUNNING', latest_run.status) AS status,
    config.pipeline_name,
    config.pipeline_version,
    COALESCE(steps_of_run.total_steps, 0) AS total_steps,
    COALESCE(steps_of_run.steps_completed, 0) AS steps_completed,
    COALESCE(steps_of_run.steps_failed, 0) AS steps_failed,
    COALESCE(steps_of_run.steps_running, 0) AS steps_running,
    COALESCE(steps_of_run.steps_skipped, 0) AS steps_skipped,
    COALESCE(steps_of_run.total_rows_processed, 0) AS total_rows_processed,
    COALESCE(steps_of_run.total_bytes_billed, 0) AS total_bytes_billed,
    steps_of_run.failed_steps_details,
    COALESCE(quality_of_run.total_dq_checks, 0) AS total_dq_checks,
    COALESCE(quality_of_run.dq_checks_passed, 0) AS dq_checks_passed,
    COALESCE(quality_of_run.dq_checks_warning, 0) AS dq_checks_warning,
    COALESCE(quality_of_run.dq_checks_failed, 0) AS dq_checks_failed,
    quality_of_run.failed_dq_details
  FROM latest_run
  LEFT JOIN config ON config.config_id = latest_run.pipeline_id AND config.version = latest_run.config_version
  LEFT JOIN steps_of_run ON steps_of_run.pipeline_logging_id = latest_run.pipeline_logging_id
  LEFT JOIN quality_of_run ON quality_of_run.pipeline_logging_id = latest_run.pipeline_logging_id
),
run_of_day AS (
  SELECT
    run.*,
    COUNT(*) OVER pipeline_day AS daily_total_runs,
    COUNTIF(status = 'COMPLETED') OVER pipeline_day AS daily_successful_runs,
    COUNTIF(status = 'FAILED') OVER pipeline_day AS daily_failed_runs,
    COUNTIF(status = 'CANCELLED') OVER pipeline_day AS daily_cancelled_runs,
    COUNTIF(status = 'RUNNING') OVER pipeline_day AS daily_running_runs,
    COUNTIF(status IN ('PENDING', 'QUEUED')) OVER pipeline_day AS daily_pending_runs,
    AVG(duration_ms) OVER pipeline_day AS daily_avg_duration_ms,
    MAX(duration_ms) OVER pipeline_day AS daily_max_duration_ms,
    MIN(duration_ms) OVER pipeline_day AS daily_min_duration_ms,
    MAX(start_time) OVER pipeline_day AS daily_last_run_time
  FROM run
  WINDOW pipeline_day AS (PARTITION BY pipeline_id, DATE(start_time))
),
-- Counted from the runs themselves, in one row even when nothing ran: the roll-up table lags by a minute.
today AS (
  SELECT
    COUNTIF(DATE(start_time) = CURRENT_DATE()) AS pipelines_run_today,
    COUNTIF(DATE(start_time) = CURRENT_DATE() AND status = 'COMPLETED') AS pipelines_succeeded_today,
    COUNTIF(DATE(start_time) = CURRENT_DATE() AND status = 'FAILED') AS pipelines_failed_today,
    COUNTIF(DATE(start_time) >= DATE_TRUNC(CURRENT_DATE(), MONTH)) AS pipelines_run_month,
    COUNTIF(status NOT IN ('COMPLETED', 'FAILED', 'CANCELLED')) AS concurrent_pipelines_running,
    MAX(recorded_at) AS last_change_of_a_run
  FROM run
)
SELECT
  profile.tenant_id,
  profile.company_name,
  profile.admin_email,
  profile.status AS tenant_status,
  profile.created_at AS tenant_onboarding_date,

  subscription.plan_name,
  subscription.status AS subscription_status,
  subscription.daily_limit AS subscription_daily_limit,
  subscription.monthly_limit AS subscription_monthly_limit,
  subscription.concurrent_limit AS subscription_concurrent_limit,
  subscription.trial_end_date,
  subscription.subscription_end_date,

  CURRENT_DATE() AS usage_date,
  today.pipelines_run_today,
  today.pipelines_succeeded_today,
  today.pipelines_failed_today,
  today.pipelines_run_month,
  today.concurrent_pipelines_running,
  subscription.daily_limit,
  subscription.monthly_limit,
  subscription.concurrent_limit,
  COALESCE(today.last_change_of_a_run, subscription.recorded_at) AS last_quota_update,
  CASE
    WHEN today.pipelines_run_month >= subscription.monthly_limit THEN 'MONTHLY_LIMIT_REACHED'
    WHEN today.pipelines_run_today >= subscription.daily_limit THEN 'DAILY_LIMIT_REACHED'
    WHEN today.concurrent_pipelines_running >= subscription.concurrent_limit THEN 'CONCURRENT_LIMIT_REACHED'
    ELSE 'AVAILABLE'
  END AS quota_status,
  ROUND(100 * SAFE_DIVIDE(today.pipelines_run_today, subscription.daily_limit), 1) AS daily_usage_percent,
  ROUND(100 * SAFE_DIVIDE(today.pipelines_run_month, subscription.monthly_limit), 1) AS monthly_usage_percent,

  run.pipeline_logging_id,
  run.pipeline_id,
  run.pipeline_name,
  run.pipeline_version,
  run.config_version,
  run.status AS pipeline_status,
  run.trigger_type,
  run.trigger_by,
  run.user_id,
  run.start_time AS pipeline_start_time,
  run.end_time AS pipeline_end_time,
  run.duration_ms AS pipeline_duration_ms,
  run.run_date AS pipeline_run_date,
  CAST(JSON_VALUE(run.run_metadata, '$.interval_start') AS TIMESTAMP) AS pipeline_interval_start,
  CAST(JSON_VALUE(run.run_metadata, '$.interval_end') AS TIMESTAMP) AS pipeline_interval_end,
  run.parameters AS pipeline_parameters,
  run.error_message AS pipeline_error_message,

  run.total_steps,
  run.steps_completed,
  run.steps_failed,
  run.steps_running,
  run.steps_skipped,
  run.total_rows_processed,
  run.total_bytes_billed,
  run.failed_steps_details,

  run.total_dq_checks,
  run.dq_checks_passed,
  run.dq_checks_warning,
  run.dq_checks_failed,
  -- A check is one expectation; a warning is one that was not met.
  run.dq_checks_passed AS total_expectations_passed,
  run.dq_checks_warning + run.dq_checks_failed AS total_expectations_failed,
  run.failed_dq_details,

  run.daily_total_runs,
  run.daily_successful_runs,
  run.daily_failed_runs,
  run.daily_cancelled_runs,
  run.daily_running_runs,
  run.daily_pending_runs,
  run.daily_avg_duration_ms,
  run.daily_max_duration_ms,
  run.daily_min_duration_ms,
  run.daily_last_run_time,
  ROUND(
    100 * SAFE_DIVIDE(
      run.daily_successful_runs,
      run.daily_successful_runs + run.daily_failed_runs + run.daily_cancelled_runs
    ),
    1
  ) AS daily_success_rate,

  run.status = 'FAILED' OR run.steps_failed > 0 OR run.dq_checks_failed > 0 AS has_errors,
  CASE
    WHEN run.pipeline_logging_id IS NULL THEN NULL
    WHEN run.duration_ms > 2 * run.daily_avg_duration_ms THEN 'SLOW'
    WHEN run.duration_ms < 0.5 * run.daily_avg_duration_ms THEN 'FAST'
    ELSE 'NORMAL'
  END AS performance_status
FROM profile
LEFT JOIN subscription ON subscription.tenant_id = profile.tenant_id
CROSS JOIN today
LEFT JOIN run_of_day AS run ON run.tenant_id = profile.tenant_id
