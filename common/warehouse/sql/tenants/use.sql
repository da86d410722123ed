-- Count a tenant's runs: admitted since the day and the month began, and under way.
-- Parameters: tenant_id STRING, day_start TIMESTAMP, month_start TIMESTAMP, since TIMESTAMP
SELECT
  -- Without those that failed by a fault of BigQuery's or of the platform's.
  COUNTIF(
    start_time >= @day_start
    AND NOT (status = 'FAILED' AND COALESCE(error_reason, '') IN ('bigqueryFailed', 'levelGivenUp', 'neverBegun'))
  ) AS today,
  COUNTIF(start_time >= @month_start) AS month,
  COUNTIF(status NOT IN ('COMPLETED', 'FAILED', 'CANCELLED')) AS running
FROM `${project}.${dataset}.current_pipeline_runs`
WHERE tenant_id = @tenant_id AND start_time >= @since
