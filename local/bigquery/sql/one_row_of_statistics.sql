-- Purpose: let a table have one row of statistics, whoever writes it first; DuckLake tries again where it was not first.
-- Parameters: ${catalog} is the metadata catalog of a project's DuckLake.
CREATE UNIQUE INDEX IF NOT EXISTS one_row_of_statistics ON ${catalog}.ducklake_table_stats (table_id)
