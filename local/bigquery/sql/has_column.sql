-- Purpose: one row where a table has a column of this name.
-- Parameters: $dataset_id, $table_id, $column; ${catalog} is the metadata catalog of the project's DuckLake.
SELECT 1
FROM ${catalog}.ducklake_table AS t
JOIN ${catalog}.ducklake_schema AS s USING (schema_id)
JOIN ${catalog}.ducklake_column AS c USING (table_id)
WHERE t.end_snapshot IS NULL AND s.end_snapshot IS NULL AND c.end_snapshot IS NULL
  AND s.schema_name = $dataset_id AND t.table_name = $table_id AND c.column_name = $column
