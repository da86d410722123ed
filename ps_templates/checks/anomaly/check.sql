-- Take a value of the table's.
-- Parameters: those that `metric` uses
SELECT
  COUNT(*) AS checked,
  0 AS failed,
  CAST(CAST(${metric} AS FLOAT64) AS STRING) AS observed
FROM ${table}
