-- Sum up what tenants used between two moments: runs, failures, jobs and bytes, by day, pipeline and step where that is asked for.
-- Parameters: tenant_ids ARRAY<STRING>, config_id STRING, since TIMESTAMP, until TIMESTAMP, by_day BOOL, by_pipeline BOOL, by_step BOOL, most INT64
WITH attempts AS (
  -- Of each attempt at a job its end, or else its latest row.
  SELECT
    tenant_id, pipeline_logging_id, pipeline_id, step_id, status, start_time, end_time, job_id, job_project, bytes_processed,
    bytes_billed, attempt, COALESCE(job_index, 0) AS job_number
  FROM `${project}.${dataset}.tenant_step_logs`
  WHERE tenant_id IN UNNEST(@tenant_ids) AND start_time >= @since AND start_time < @until
    AND (@config_id = '' OR pipeline_id = @config_id)
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY tenant_id, pipeline_logging_id, step_id, COALESCE(job_index, 0), attempt
    ORDER BY
      status IN ('COMPLETED', 'FAILED', 'CANCELLED', 'SKIPPED') DESC,
      IF(status IN ('COMPLETED', 'FAILED', 'CANCELLED', 'SKIPPED'), recorded_at, NULL),
      end_time IS NOT NULL DESC,
      recorded_at DESC
  ) = 1
),
steps AS (
  -- What a step came to is what its last job's last attempt came to.
  SELECT *
  FROM attempts
  WHERE status <> 'SKIPPED'
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY tenant_id, pipeline_logging_id, step_id ORDER BY job_number DESC, attempt DESC
  ) = 1
),
facts AS (
  SELECT
    tenant_id, DATE(start_time) AS day, pipeline_id, step_id, 0 AS runs, 0 AS failures, 1 AS jobs,
    IF(end_time IS NOT NULL AND bytes_billed IS NULL AND status <> 'FAILED', 1, 0) AS jobs_of_unknown_bytes,
    COALESCE(bytes_processed, 0) AS bytes_processed,
    IF(job_project IS NULL, COALESCE(bytes_billed, 0), 0) AS bytes_billed,
    IF(job_project IS NULL, 0, COALESCE(bytes_billed, 0)) AS own_project_bytes_billed
  FROM attempts
  WHERE job_id IS NOT NULL
  UNION ALL
  SELECT tenant_id, DATE(start_time), pipeline_id, step_id, 1, IF(status = 'FAILED', 1, 0), 0, 0, 0, 0, 0
  FROM steps
  WHERE @by_step
  UNION ALL
  SELECT tenant_id, DATE(start_time), pipeline_id, CAST(NULL AS STRING), 1, IF(status = 'FAILED', 1, 0), 0, 0, 0, 0, 0
  FROM `${project}.${dataset}.current_pipeline_runs`
  WHERE tenant_id IN UNNEST(@tenant_ids) AND start_time >= @since AND start_time < @until
    AND ticket IS NOT NULL AND (@config_id = '' OR pipeline_id = @config_id) AND NOT @by_step
),
grouped AS (
  SELECT
    tenant_id, IF(@by_day, day, NULL) AS day, IF(@by_pipeline, pipeline_id, NULL) AS pipeline_id,
    IF(@by_step, step_id, NULL) AS step_id, runs, failures, jobs, jobs_of_unknown_bytes, bytes_processed, bytes_billed,
    own_project_bytes_billed
  FROM facts
)
SELECT
  tenant_id, day, pipeline_id, step_id, SUM(runs) AS runs, SUM(failures) AS failures, SUM(jobs) AS jobs,
  SUM(jobs_of_unknown_bytes) AS jobs_of_unknown_bytes, SUM(bytes_processed) AS bytes_processed,
  SUM(bytes_billed) AS bytes_billed, SUM(own_project_bytes_billed) AS own_project_bytes_billed
FROM grouped
GROUP BY tenant_id, day, pipeline_id, step_id
ORDER BY tenant_id, day, pipeline_id, step_id
LIMIT @most
