-- Purpose: the number of rows that a query job left; an error when it left no table.
-- Parameters: ${table} is the result table.
SELECT count(*) FROM ${table}
