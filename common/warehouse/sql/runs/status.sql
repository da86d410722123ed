-- Read one run with the latest attempt of each of its steps, and the retries of it.
-- Parameters: tenant_id STRING, run_id STRING, since TIMESTAMP
WITH jobs AS (
  -- Of each attempt at a job its end, or else its latest row.
  SELECT *
  FROM `${project}.${dataset}.tenant_step_logs`
  WHERE tenant_id = @tenant_id AND pipeline_logging_id = @run_id AND start_time >= @since
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY step_id, COALESCE(job_index, 0), attempt
    ORDER BY
      status IN ('COMPLETED', 'FAILED', 'CANCELLED', 'SKIPPED') DESC,
      IF(status IN ('COMPLETED', 'FAILED', 'CANCELLED', 'SKIPPED'), recorded_at, NULL),
      end_time IS NOT NULL DESC,
      recorded_at DESC
  ) = 1
),
steps AS (
  -- As current_step_logs does; that one's rows are chosen before a reader's days could be. Bytes are those of all its jobs.
  SELECT
    * EXCEPT (bytes_processed, bytes_billed),
    SUM(bytes_processed) OVER (PARTITION BY step_id) AS bytes_processed,
    SUM(bytes_billed) OVER (PARTITION BY step_id) AS bytes_billed
  FROM jobs
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY step_id
    ORDER BY
      COALESCE(job_index, 0) DESC,
      attempt DESC,
      status IN ('COMPLETED', 'FAILED', 'CANCELLED', 'SKIPPED') DESC,
      IF(status IN ('COMPLETED', 'FAILED', 'CANCELLED', 'SKIPPED'), recorded_at, NULL),
      recorded_at DESC
  ) = 1
)
SELECT
  run.pipeline_logging_id, run.tenant_id, run.pipeline_id, run.config_version, run.status, run.trigger_type, run.trigger_by,
  run.start_time, run.end_time, run.duration_ms, run.run_date, run.error_reason, run.error_message,
  CAST(JSON_VALUE(run.run_metadata, '$.interval_start') AS TIMESTAMP) AS interval_start,
  CAST(JSON_VALUE(run.run_metadata, '$.interval_end') AS TIMESTAMP) AS interval_end,
  TO_JSON_STRING(run.parameters) AS parameters,
  TO_JSON_STRING(run.run_metadata) AS run_metadata,
  ARRAY(
    SELECT AS STRUCT
      step_id, step_type, step_index, level, attempt, status, start_time, end_time, duration_ms, rows_processed,
      bytes_processed, bytes_billed, job_id, job_project, job_name, target_table, error_reason, error_message
    FROM steps
    ORDER BY level, step_index
  ) AS steps,
  ARRAY(
    SELECT pipeline_logging_id
    FROM `${project}.${dataset}.current_pipeline_runs`
    WHERE tenant_id = @tenant_id AND start_time >= @since AND JSON_VALUE(run_metadata, '$.retry_of') = @run_id
    ORDER BY start_time, ticket
  ) AS retried_by
FROM `${project}.${dataset}.current_pipeline_runs` AS run
WHERE run.tenant_id = @tenant_id AND run.pipeline_logging_id = @run_id AND run.start_time >= @since
