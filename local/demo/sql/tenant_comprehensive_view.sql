-- Read what the tenant's own view says of its runs and of its plan.
-- Parameters: none
SELECT
  company_name, plan_name, quota_status, pipelines_run_today, daily_limit, pipeline_id, pipeline_status, total_steps,
  steps_completed, steps_failed, total_rows_processed
FROM `${project}.${dataset}.tenant_comprehensive_view`
ORDER BY pipeline_start_time
