-- Select the rows that have another value in a column than those of a list.
-- Parameters: those that `where` uses
SELECT * FROM ${table} WHERE ${where} AND ${column} NOT IN (${values})
