-- Purpose: the number that DuckLake gives to one table, and how many columns it has; no row without a table.
-- Parameters: $dataset_id, $table_id; ${catalog} is the metadata catalog of the project's DuckLake.
SELECT t.table_id, count(*)
FROM ${catalog}.ducklake_table AS t
JOIN ${catalog}.ducklake_schema AS s USING (schema_id)
JOIN ${catalog}.ducklake_column AS c USING (table_id)
WHERE t.end_snapshot IS NULL AND s.end_snapshot IS NULL
  AND c.end_snapshot IS NULL AND c.parent_column IS NULL
  AND s.schema_name = $dataset_id AND t.table_name = $table_id
GROUP BY t.table_id
