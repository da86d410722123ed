-- Read, in one row, what tenants that are not ACTIVE have left: open runs, runs that wait, and datasets whose grace is over and that nobody has deleted.
-- Parameters: deleted_before TIMESTAMP, lately_since TIMESTAMP, removed_since TIMESTAMP, since TIMESTAMP, waiting_since TIMESTAMP
WITH stopped AS (
  SELECT tenant_id, status, recorded_at
  FROM `${project}.${dataset}.current_tenant_profiles`
  WHERE status != 'ACTIVE'
),
entries AS (
  SELECT tenant_id, queue_id, status
  FROM `${project}.${dataset}.tenant_pipeline_execution_queue`
  WHERE scheduled_time >= @waiting_since AND tenant_id IN (SELECT tenant_id FROM stopped)
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY tenant_id, queue_id
    ORDER BY
      status IN ('COMPLETED', 'FAILED', 'CANCELLED') DESC,
      IF(status IN ('COMPLETED', 'FAILED', 'CANCELLED'), recorded_at, NULL),
      recorded_at DESC
  ) = 1
),
removed AS (
  SELECT tenant_id, MAX(occurred_at) AS removed_at
  FROM `${project}.${dataset}.platform_audit_log`
  WHERE occurred_at >= @removed_since AND action = 'delete_dataset' AND outcome = 'DONE'
  GROUP BY tenant_id
)
SELECT
  EXISTS(SELECT 1 FROM stopped WHERE recorded_at >= @lately_since) AS is_lately,
  ARRAY(
    SELECT CONCAT(run.tenant_id, ' ', run.pipeline_logging_id)
    FROM `${project}.${dataset}.current_pipeline_runs` AS run
    JOIN stopped ON stopped.tenant_id = run.tenant_id
    WHERE run.start_time >= @since AND run.status NOT IN ('COMPLETED', 'FAILED', 'CANCELLED')
    ORDER BY run.tenant_id, run.pipeline_logging_id
  ) AS runs,
  ARRAY(SELECT CONCAT(tenant_id, ' ', queue_id) FROM entries WHERE status = 'QUEUED' ORDER BY tenant_id, queue_id) AS waiting,
  ARRAY(
    SELECT stopped.tenant_id
    FROM stopped
    LEFT JOIN removed ON removed.tenant_id = stopped.tenant_id AND removed.removed_at > stopped.recorded_at
    WHERE stopped.status = 'DELETED' AND stopped.recorded_at < @deleted_before AND stopped.recorded_at >= @removed_since
      AND removed.tenant_id IS NULL
    ORDER BY stopped.tenant_id
  ) AS datasets
