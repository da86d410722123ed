-- Purpose: the number of rows of one table; no row for a table that never had any.
-- Parameters: $number is the table's in DuckLake; ${catalog} is the metadata catalog of the project's DuckLake.
SELECT record_count FROM ${catalog}.ducklake_table_stats WHERE table_id = $number
