-- Purpose: tell whether all values of a column are whole numbers, and there is one.
-- Parameters: the column, and the form of a whole number.
coalesce(
    bool_and(regexp_full_match(${column}, ${form}) AND TRY_CAST(${column} AS BIGINT) IS NOT NULL)
        FILTER (WHERE ${column} IS NOT NULL),
    false
)
