-- Count the rows that have no value in a column.
-- Parameters: those that `where` uses
SELECT
  COUNTIF(${where}) AS checked,
  COUNTIF(${where} AND ${column} IS NULL) AS failed,
  CAST(NULL AS STRING) AS observed
FROM ${table}
