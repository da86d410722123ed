-- Take the next number of a table's ledger with the files of a batch, and write down what became of others.
-- Parameters: table_name STRING, entries STRING, ended STRING
INSERT INTO `${project}.${dataset}._cvg_loaded_files` (
  table_name, batch, uri, generation, size_bytes, updated_at, state, job_id, job_project, pipeline_id, pipeline_logging_id, step_id,
  recorded_at
)
SELECT
  @table_name,
  CAST(JSON_VALUE(entry, '$.batch') AS INT64),
  JSON_VALUE(entry, '$.uri'),
  CAST(JSON_VALUE(entry, '$.generation') AS INT64),
  CAST(JSON_VALUE(entry, '$.size_bytes') AS INT64),
  CAST(JSON_VALUE(entry, '$.updated_at') AS TIMESTAMP),
  'CLAIMED',
  JSON_VALUE(entry, '$.job_id'),
  JSON_VALUE(entry, '$.job_project'),
  JSON_VALUE(entry, '$.pipeline_id'),
  JSON_VALUE(entry, '$.pipeline_logging_id'),
  JSON_VALUE(entry, '$.step_id'),
  CURRENT_TIMESTAMP()
FROM UNNEST(JSON_QUERY_ARRAY(@entries)) AS entry
UNION ALL
SELECT
  table_name, batch, uri, generation, size_bytes, updated_at, JSON_VALUE(one, '$.state'), job_id, job_project, pipeline_id,
  pipeline_logging_id, step_id, CURRENT_TIMESTAMP()
FROM `${project}.${dataset}._cvg_loaded_files`
CROSS JOIN UNNEST(JSON_QUERY_ARRAY(@ended)) AS one
WHERE table_name = @table_name AND state = 'CLAIMED' AND batch = CAST(JSON_VALUE(one, '$.batch') AS INT64)
