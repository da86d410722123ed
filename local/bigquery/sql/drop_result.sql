-- Purpose: drop the rows that a query job left.
-- Parameters: ${table} is the result table.
DROP TABLE IF EXISTS ${table}
