-- Append that a schedule is paused or resumed; all rows of schedules themselves, not of firings, share one time.
-- Parameters: scheduled_run_id STRING, tenant_id STRING, config_id STRING, status STRING, priority INT64, states_at TIMESTAMP, now TIMESTAMP
INSERT INTO `${project}.${dataset}.tenant_scheduled_pipeline_runs` (
  scheduled_run_id, config_id, tenant_id, status, scheduled_time, priority, retry_count, max_retries, created_at, recorded_at
)
VALUES (@scheduled_run_id, @config_id, @tenant_id, @status, @states_at, @priority, 0, 0, @now, @now)
