-- Select the rows that have no value in a column.
-- Parameters: those that `where` uses
SELECT * FROM ${table} WHERE ${where} AND ${column} IS NULL
