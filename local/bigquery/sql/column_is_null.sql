-- Purpose: tell whether a column of files has a row without a value.
-- Parameters: the column.
coalesce(bool_or(${column} IS NULL), false)
