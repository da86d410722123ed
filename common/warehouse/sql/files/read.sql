-- Read which files a table has had, and which other loads have taken; the row of the last batch comes in any case.
-- Parameters: table_name STRING, job_id STRING, prefixes ARRAY<STRING>
WITH latest AS (
  SELECT
    batch, uri, generation, size_bytes, updated_at, state, job_id, job_project, pipeline_id, pipeline_logging_id, step_id, recorded_at
  FROM `${project}.${dataset}._cvg_loaded_files`
  WHERE table_name = @table_name
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY batch, uri, generation
    ORDER BY IF(state = 'CLAIMED', 1, 0), recorded_at
  ) = 1
),
last_batch AS (
  SELECT MAX(batch) AS number
  FROM latest
)
SELECT
  latest.batch, uri, generation, size_bytes, updated_at, state, job_id, job_project, pipeline_id, pipeline_logging_id, step_id,
  recorded_at, CURRENT_TIMESTAMP() AS read_at
FROM latest
CROSS JOIN last_batch
WHERE state = 'CLAIMED'
  OR job_id = @job_id
  OR latest.batch = last_batch.number
  OR (state = 'LOADED' AND EXISTS (SELECT 1 FROM UNNEST(@prefixes) AS prefix WHERE STARTS_WITH(uri, prefix)))
