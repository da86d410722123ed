-- Count a tenant's runs: admitted since the day and the month began, and under way.
-- Parameters: tenant_id STRING, day_start TIMESTAMP, month_start TIMESTAMP, since TIMESTAMP
SELECT
  COUNTIF(start_time >= @day_start) AS today,
  COUNTIF(start_time >= @month_start) AS month,
  COUNTIF(status NOT IN ('COMPLETED', 'FAILED', 'CANCELLED')) AS running
FROM `${project}.${dataset}.current_pipeline_runs`
WHERE tenant_id = @tenant_id AND start_time >= @since
