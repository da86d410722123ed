-- Show each queue entry's latest row: terminal rows beat others, and the first terminal row wins.
-- Parameters: none
CREATE OR REPLACE VIEW `${project}.${dataset}.current_pipeline_queue`
OPTIONS (
  description = 'The latest row of each entry that the queue had in 400 days; COMPLETED: its run has begun. Filter by tenant_id.',
  labels = [('managed_by', 'convergence'), ('definition', '${definition}')]
)
AS
SELECT *
FROM `${project}.${dataset}.tenant_pipeline_execution_queue`
-- Two requests at once with one idempotency key may each name another time: it is no key, so no reader's filter reaches below.
WHERE scheduled_time >= TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 400 DAY)
QUALIFY ROW_NUMBER() OVER (
  PARTITION BY tenant_id, queue_id
  ORDER BY
    status IN ('COMPLETED', 'FAILED', 'CANCELLED') DESC,
    IF(status IN ('COMPLETED', 'FAILED', 'CANCELLED'), recorded_at, NULL),
    recorded_at DESC
) = 1
