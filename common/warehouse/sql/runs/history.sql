-- Read a page of a tenant's runs, newest first; "" leaves a filter out.
-- Parameters: tenant_id STRING, since TIMESTAMP, until TIMESTAMP, status STRING, config_id STRING, before_time TIMESTAMP, before_id STRING, page_size INT64
WITH started AS (
  SELECT DISTINCT pipeline_logging_id
  FROM `${project}.${dataset}.tenant_step_logs`
  WHERE tenant_id = @tenant_id AND start_time >= @since
),
runs AS (
  SELECT
    run.pipeline_logging_id, run.tenant_id, run.pipeline_id, run.config_version,
    IF(run.status = 'PENDING' AND started.pipeline_logging_id IS NOT NULL, 'RUNNING', run.status) AS status,
    run.trigger_type, run.trigger_by, run.start_time, run.end_time, run.duration_ms, run.run_date, run.error_message
  FROM `${project}.${dataset}.current_pipeline_runs` AS run
  LEFT JOIN started ON started.pipeline_logging_id = run.pipeline_logging_id
  WHERE run.tenant_id = @tenant_id AND run.start_time >= @since AND run.start_time < @until
)
SELECT *
FROM runs
WHERE @status IN ('', status)
  AND @config_id IN ('', pipeline_id)
  AND (start_time < @before_time OR (start_time = @before_time AND pipeline_logging_id < @before_id))
ORDER BY start_time DESC, pipeline_logging_id DESC
LIMIT @page_size
