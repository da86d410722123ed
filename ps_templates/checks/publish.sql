-- Select the rows that have passed their checks.
-- Parameters: none
SELECT * FROM ${table}
