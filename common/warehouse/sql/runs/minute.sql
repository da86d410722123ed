-- Read, in one row, what a minute of the dispatcher needs to know of all tenants' runs: open ones that are quiet and when the first of them began, gaps between recent tickets, and when the last row came.
-- Parameters: since TIMESTAMP, recent_since TIMESTAMP, gaps_since TIMESTAMP, quiet_before TIMESTAMP
WITH earlier AS (
  SELECT tenant_id, MAX(ticket) AS last_ticket
  FROM `${project}.${dataset}.tenant_pipeline_runs`
  WHERE start_time >= @since AND start_time < @recent_since AND ticket IS NOT NULL
  GROUP BY tenant_id
),
runs AS (
  SELECT
    run.tenant_id, run.pipeline_logging_id, run.start_time, run.recorded_at, run.ticket,
    run.status NOT IN ('COMPLETED', 'FAILED', 'CANCELLED') AND run.recorded_at < @quiet_before AS is_quiet,
    COALESCE(LAG(run.ticket) OVER (PARTITION BY run.tenant_id ORDER BY run.ticket), earlier.last_ticket, 0) AS previous_ticket
  FROM `${project}.${dataset}.current_pipeline_runs` AS run
  LEFT JOIN earlier ON earlier.tenant_id = run.tenant_id
  WHERE run.start_time >= @recent_since AND run.ticket IS NOT NULL
)
SELECT
  ARRAY(
    SELECT pipeline_logging_id
    FROM runs
    WHERE is_quiet
    ORDER BY pipeline_logging_id
  ) AS open_runs,
  (SELECT MIN(start_time) FROM runs WHERE is_quiet) AS open_since,
  ARRAY(
    SELECT CONCAT(tenant_id, ' ', previous_ticket, ' ', ticket)
    FROM runs
    WHERE start_time >= @gaps_since AND ticket > previous_ticket + 1
    ORDER BY tenant_id, ticket
  ) AS gaps,
  (SELECT MAX(recorded_at) FROM runs) AS last_recorded_at
