-- Read a page of what came of a tenant's checks, the latest first.
-- Parameters: tenant_id STRING, since DATE, table STRING, check STRING, config_id STRING, status STRING, before_time TIMESTAMP, before_id STRING, page_size INT64
WITH results AS (
  SELECT *
  FROM `${project}.${dataset}.tenant_dq_results`
  WHERE tenant_id = @tenant_id
    AND ingestion_date >= @since
    AND ingestion_date <= DATE(@before_time)
    AND @table IN ('', target_table)
    AND @check IN ('', check_name)
    AND @config_id IN ('', pipeline_id)
    AND @status IN ('', status)
  QUALIFY ROW_NUMBER() OVER (PARTITION BY dq_result_id ORDER BY recorded_at) = 1
)
SELECT
  dq_result_id, pipeline_logging_id, pipeline_id, step_id, check_name, check_type, status, severity, target_table, row_count,
  failed_rows, failed_percent, observed, expected, value, duration_ms, job_id, executed_at
FROM results
WHERE executed_at < @before_time OR (executed_at = @before_time AND dq_result_id < @before_id)
ORDER BY executed_at DESC, dq_result_id DESC
LIMIT @page_size
