-- Purpose: put a query's rows in the place of one partition of a table.
-- Parameters: the query, the column, the format of partitions, and the partition; those of the query.
SELECT * FROM ${table} WHERE strftime(${field}, ${format}) IS DISTINCT FROM ${partition}
UNION ALL BY NAME
SELECT * FROM (${query})
