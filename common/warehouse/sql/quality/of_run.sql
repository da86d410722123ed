-- Read what came of the checks of one run, step by step, in the order of their names.
-- Parameters: tenant_id STRING, run_id STRING, since DATE
SELECT
  step_id, check_name, check_type, status, severity, target_table, row_count, failed_rows, failed_percent, observed, expected,
  duration_ms, job_id, executed_at
FROM `${project}.${dataset}.tenant_dq_results`
WHERE tenant_id = @tenant_id AND pipeline_logging_id = @run_id AND ingestion_date >= @since
QUALIFY ROW_NUMBER() OVER (PARTITION BY dq_result_id ORDER BY recorded_at) = 1
ORDER BY step_id, check_name
