-- Count the rows of which a condition is false.
-- Parameters: those that `where` and `expression` use
SELECT
  COUNTIF(${where}) AS checked,
  COUNTIF(${where} AND NOT ${expression}) AS failed,
  CAST(NULL AS STRING) AS observed
FROM ${table}
