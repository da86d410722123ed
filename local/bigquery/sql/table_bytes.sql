-- Purpose: the size of a table in bytes, 8 for each value, as `local_bigquery` counts it; no row without a table.
-- Parameters: $dataset_id, $table_id; ${catalog} is the metadata catalog of the project's DuckLake.
SELECT coalesce(any_value(stats.record_count), 0) * count(*) * 8
FROM ${catalog}.ducklake_table AS t
JOIN ${catalog}.ducklake_schema AS s USING (schema_id)
JOIN ${catalog}.ducklake_column AS c USING (table_id)
LEFT JOIN ${catalog}.ducklake_table_stats AS stats USING (table_id)
WHERE t.end_snapshot IS NULL AND s.end_snapshot IS NULL
  AND c.end_snapshot IS NULL AND c.parent_column IS NULL
  AND s.schema_name = $dataset_id AND t.table_name = $table_id
GROUP BY t.table_id
