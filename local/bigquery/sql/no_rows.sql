-- Purpose: tell a table's columns and their types, by reading none of its rows.
-- Parameters: ${table} is the table.
SELECT * FROM ${table} LIMIT 0
