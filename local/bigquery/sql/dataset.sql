-- Purpose: one row where a project has a dataset of this name.
-- Parameters: $dataset_id; ${catalog} is the metadata catalog of the project's DuckLake.
SELECT 1 FROM ${catalog}.ducklake_schema WHERE end_snapshot IS NULL AND schema_name = $dataset_id
