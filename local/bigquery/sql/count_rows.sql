-- Purpose: the number of rows of one table; an error when there is no such table.
-- Parameters: ${table} is the table.
SELECT count(*) FROM ${table}
