-- Purpose: the columns of one table that hold no NULL.
-- Parameters: $dataset_id, $table_id; ${catalog} is the metadata catalog of the project's DuckLake.
SELECT c.column_name
FROM ${catalog}.ducklake_table AS t
JOIN ${catalog}.ducklake_schema AS s USING (schema_id)
JOIN ${catalog}.ducklake_column AS c USING (table_id)
WHERE t.end_snapshot IS NULL AND s.end_snapshot IS NULL
  AND c.end_snapshot IS NULL AND c.parent_column IS NULL AND NOT c.nulls_allowed
  AND s.schema_name = $dataset_id AND t.table_name = $table_id
