-- Count the rows that have another value in a column than those of a list.
-- Parameters: those that `where` uses
SELECT
  COUNTIF(${where}) AS checked,
  COUNTIF(${where} AND ${column} NOT IN (${values})) AS failed,
  CAST(NULL AS STRING) AS observed
FROM ${table}
