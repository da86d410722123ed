-- Purpose: list what is stored in Parquet files: each column and part of one, with its physical type.
-- Parameters: the files.
SELECT DISTINCT name, type FROM parquet_schema(${files})
