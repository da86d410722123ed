-- Purpose: find a row of a query that does not belong to a partition; a NULL belongs to none.
-- Parameters: the query, the column, the format of partitions, and the partition; those of the query.
SELECT 1 FROM (${query}) WHERE strftime(${field}, ${format}) IS DISTINCT FROM ${partition} LIMIT 1
