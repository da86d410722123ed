-- Read the rows of a tenant's table.
-- Parameters: none
SELECT *
FROM `${project}.${dataset}.${table}`
LIMIT 100
