-- Select the rows whose value in a column is none of another table's.
-- Parameters: those that `where` uses
SELECT ${alias}.* FROM ${table}
LEFT JOIN (SELECT DISTINCT ${field} AS convergence_value FROM ${to}) AS convergence_known
  ON ${column} = convergence_known.convergence_value
WHERE ${where} AND ${column} IS NOT NULL AND convergence_known.convergence_value IS NULL
