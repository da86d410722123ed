-- Purpose: the tables and views of one dataset, or the one of them named $table_id, with the numbers of the tables.
-- Parameters: $dataset_id, $table_id (NULL = all); ${catalog} is the metadata catalog of the project's DuckLake.
SELECT t.table_name, 'TABLE', t.table_id
FROM ${catalog}.ducklake_table AS t
JOIN ${catalog}.ducklake_schema AS s USING (schema_id)
WHERE t.end_snapshot IS NULL AND s.end_snapshot IS NULL
  AND s.schema_name = $dataset_id AND t.table_name = coalesce($table_id, t.table_name)
UNION ALL
SELECT v.view_name, 'VIEW', NULL
FROM ${catalog}.ducklake_view AS v
JOIN ${catalog}.ducklake_schema AS s USING (schema_id)
WHERE v.end_snapshot IS NULL AND s.end_snapshot IS NULL
  AND s.schema_name = $dataset_id AND v.view_name = coalesce($table_id, v.view_name)
ORDER BY 1
