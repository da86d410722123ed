-- Select some of the rows that break a check, as dq_failing_rows has them.
-- Parameters: those that the texts of the check use
(
  SELECT
    CURRENT_DATE() AS found_on,
    CURRENT_TIMESTAMP() AS found_at,
    '_cvg_run_id' AS pipeline_logging_id,
    ${step} AS step_id,
    ${table_name} AS table_name,
    ${check} AS check_name,
    TO_JSON_STRING(failing_row) AS failing_row
  FROM (
    SELECT ${columns} FROM (
      ${rows}
    )
  ) AS failing_row
  LIMIT ${limit}
)
