-- Select the rows whose value in a column does not match an expression.
-- Parameters: those that `where` uses
SELECT * FROM ${table} WHERE ${where} AND NOT REGEXP_CONTAINS(CAST(${column} AS STRING), ${pattern})
