-- Sum up, for each step of a pipeline, what its last runs were estimated at and billed for, of the jobs of which both are known.
-- Parameters: tenant_id STRING, config_id STRING, since TIMESTAMP, most INT64
WITH attempts AS (
  -- Of each attempt at a job its end, or else its latest row; which call has asked for the estimate is no matter.
  SELECT
    pipeline_logging_id, step_id, status, start_time, end_time, job_project, bytes_billed,
    MAX(CAST(JSON_VALUE(metadata, '$.bytes_estimated') AS INT64)) OVER (
      PARTITION BY tenant_id, pipeline_logging_id, step_id, COALESCE(job_index, 0), attempt
    ) AS bytes_estimated
  FROM `${project}.${dataset}.tenant_step_logs`
  WHERE tenant_id = @tenant_id AND start_time >= @since AND pipeline_id = @config_id
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY tenant_id, pipeline_logging_id, step_id, COALESCE(job_index, 0), attempt
    ORDER BY
      status IN ('COMPLETED', 'FAILED', 'CANCELLED', 'SKIPPED') DESC,
      IF(status IN ('COMPLETED', 'FAILED', 'CANCELLED', 'SKIPPED'), recorded_at, NULL),
      end_time IS NOT NULL DESC,
      recorded_at DESC
  ) = 1
),
runs AS (
  SELECT
    step_id, pipeline_logging_id, MIN(start_time) AS began_at, SUM(bytes_estimated) AS bytes_estimated,
    SUM(bytes_billed) AS bytes_billed
  FROM attempts
  WHERE end_time IS NOT NULL AND status IN ('COMPLETED', 'RUNNING') AND bytes_estimated IS NOT NULL AND bytes_billed IS NOT NULL
  GROUP BY step_id, pipeline_logging_id
),
last_runs AS (
  SELECT step_id, bytes_estimated, bytes_billed
  FROM runs
  WHERE TRUE -- BigQuery takes QUALIFY beside a WHERE only
  QUALIFY ROW_NUMBER() OVER (PARTITION BY step_id ORDER BY began_at DESC, pipeline_logging_id) <= @most
)
SELECT step_id, COUNT(*) AS runs, SUM(bytes_estimated) AS estimated, SUM(bytes_billed) AS billed
FROM last_runs
GROUP BY step_id
