-- Write down that the files are loaded which a step has taken last: its jobs before that have failed.
-- Parameters: table_name STRING, run_id STRING, step_id STRING
INSERT INTO `${project}.${dataset}._cvg_loaded_files` (
  table_name, batch, uri, generation, size_bytes, updated_at, state, job_id, job_project, pipeline_id, pipeline_logging_id, step_id,
  recorded_at
)
SELECT
  table_name, batch, uri, generation, size_bytes, updated_at, 'LOADED', job_id, job_project, pipeline_id, pipeline_logging_id,
  step_id, CURRENT_TIMESTAMP()
FROM `${project}.${dataset}._cvg_loaded_files`
WHERE table_name = @table_name
  AND state = 'CLAIMED'
  AND batch = (
    SELECT MAX(batch)
    FROM `${project}.${dataset}._cvg_loaded_files`
    WHERE table_name = @table_name AND pipeline_logging_id = @run_id AND step_id = @step_id
  )
