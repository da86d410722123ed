-- Purpose: name the rows of one partition of a table.
-- Parameters: the table, its column, the format of its partitions, and the partition.
(SELECT *, rowid FROM ${table} WHERE strftime(${field}, ${format}) = ${partition})
