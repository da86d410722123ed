-- Count the rows whose value in a column does not match an expression.
-- Parameters: those that `where` uses
SELECT
  COUNTIF(${where}) AS checked,
  COUNTIF(${where} AND NOT REGEXP_CONTAINS(CAST(${column} AS STRING), ${pattern})) AS failed,
  CAST(NULL AS STRING) AS observed
FROM ${table}
