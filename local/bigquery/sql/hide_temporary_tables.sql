-- Purpose: answer "which temporary tables are there?" on a new cursor, which has none, without a look at every table.
-- Parameters: none.
CREATE OR REPLACE MACRO memory.main.duckdb_tables() AS TABLE
SELECT NULL::VARCHAR AS table_name, TRUE AS temporary WHERE FALSE
