-- Read, in one row, what a minute of the dispatcher needs to know of all tenants' runs: open ones that are quiet, gaps between recent tickets, and when the last row came.
-- Parameters: since TIMESTAMP, gaps_since TIMESTAMP, quiet_before TIMESTAMP
WITH runs AS (
  SELECT
    tenant_id, pipeline_logging_id, status, start_time, recorded_at, ticket,
    COALESCE(LAG(ticket) OVER (PARTITION BY tenant_id ORDER BY ticket), 0) AS previous_ticket
  FROM `${project}.${dataset}.current_pipeline_runs`
  WHERE start_time >= @since AND ticket IS NOT NULL
)
SELECT
  ARRAY(
    SELECT pipeline_logging_id
    FROM runs
    WHERE status NOT IN ('COMPLETED', 'FAILED', 'CANCELLED') AND recorded_at < @quiet_before
    ORDER BY pipeline_logging_id
  ) AS open_runs,
  ARRAY(
    SELECT CONCAT(tenant_id, ' ', previous_ticket, ' ', ticket)
    FROM runs
    WHERE start_time >= @gaps_since AND ticket > previous_ticket + 1
    ORDER BY tenant_id, ticket
  ) AS gaps,
  (SELECT MAX(recorded_at) FROM runs) AS last_recorded_at
