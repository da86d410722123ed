-- Purpose: say of tables that never had a row that they have none.
-- Parameters: ${catalog} is the metadata catalog of a project's DuckLake.
INSERT INTO ${catalog}.ducklake_table_stats
SELECT t.table_id, 0, 0, 0
FROM ${catalog}.ducklake_table AS t
WHERE t.end_snapshot IS NULL
  AND NOT EXISTS (SELECT 1 FROM ${catalog}.ducklake_table_stats AS stats WHERE stats.table_id = t.table_id)
ON CONFLICT DO NOTHING
