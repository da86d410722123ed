-- Read the runs of some configs, tenant/config, that have completed since a moment, and which configs have followed each.
-- Parameters: keys ARRAY<STRING>, since TIMESTAMP, started_since TIMESTAMP
WITH followed AS (
  SELECT tenant_id, trigger_by AS run_id, pipeline_id AS config_id
  FROM `${project}.${dataset}.tenant_pipeline_runs`
  WHERE start_time >= @since AND trigger_type = 'after'
  UNION ALL
  SELECT tenant_id, JSON_VALUE(run_metadata, '$.trigger_by') AS run_id, config_id
  FROM `${project}.${dataset}.tenant_pipeline_execution_queue`
  WHERE scheduled_time >= @since AND JSON_VALUE(run_metadata, '$.trigger_type') = 'after'
),
followers AS (
  SELECT tenant_id, run_id, ARRAY_AGG(config_id) AS config_ids
  FROM followed
  GROUP BY tenant_id, run_id
)
SELECT
  run.tenant_id, run.pipeline_id AS config_id, run.pipeline_logging_id AS run_id, run.run_date, run.end_time,
  TO_JSON_STRING(run.run_metadata) AS run_metadata,
  followers.config_ids AS followed_by
FROM `${project}.${dataset}.current_pipeline_runs` AS run
LEFT JOIN followers ON followers.tenant_id = run.tenant_id AND followers.run_id = run.pipeline_logging_id
WHERE run.start_time >= @started_since AND run.status = 'COMPLETED' AND run.end_time >= @since
  AND CONCAT(run.tenant_id, '/', run.pipeline_id) IN UNNEST(@keys)
ORDER BY run.end_time
