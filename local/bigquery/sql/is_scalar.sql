-- Purpose: tell whether no value of a column of JSON is an object or a list.
-- Parameters: the column.
coalesce(bool_and(json_type(${column}) NOT IN ('OBJECT', 'ARRAY')), true)
