-- Purpose: write a number of seconds since 1970 as a time; other times stay, without a blank before their offset.
-- Parameters: the column, the form of a number, and what an offset looks like behind a blank.
CASE
    WHEN regexp_full_match(trim(${column}), ${form})
        AND TRY_CAST(${column} AS DOUBLE) BETWEEN -62135596800 AND 253402300799.999999
    THEN CAST(make_timestamp(CAST(CAST(${column} AS DECIMAL(28, 6)) * 1000000 AS BIGINT)) AS VARCHAR) || '+00'
    ELSE regexp_replace(${column}, ${offset}, '\1')
END AS ${column}
