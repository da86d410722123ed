-- Read the last values of a check that earlier runs of a pipeline have passed, or were only warned of.
-- Parameters: tenant_id STRING, pipeline_id STRING, table STRING, check STRING, since DATE, before TIMESTAMP, most INT64
SELECT value
FROM `${project}.${dataset}.tenant_dq_results`
WHERE tenant_id = @tenant_id
  AND ingestion_date >= @since
  AND recorded_at < @before
  AND pipeline_id = @pipeline_id
  AND target_table = @table
  AND check_name = @check
  AND status IN ('PASSED', 'WARNED')
  AND value IS NOT NULL
QUALIFY ROW_NUMBER() OVER (PARTITION BY dq_result_id ORDER BY recorded_at) = 1
ORDER BY executed_at DESC, dq_result_id
LIMIT @most
