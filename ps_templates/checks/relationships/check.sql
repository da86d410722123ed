-- Count the rows whose value in a column is none of another table's.
-- Parameters: those that `where` uses
SELECT
  COUNTIF(${where} AND ${column} IS NOT NULL) AS checked,
  COUNTIF(${where} AND ${column} IS NOT NULL AND convergence_known.convergence_value IS NULL) AS failed,
  CAST(NULL AS STRING) AS observed
FROM ${table}
LEFT JOIN (SELECT DISTINCT ${field} AS convergence_value FROM ${to}) AS convergence_known
  ON ${column} = convergence_known.convergence_value
