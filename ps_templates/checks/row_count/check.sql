-- Count the rows.
-- Parameters: those that `where` uses
SELECT
  COUNTIF(${where}) AS checked,
  0 AS failed,
  CAST(COUNTIF(${where}) AS STRING) AS observed
FROM ${table}
