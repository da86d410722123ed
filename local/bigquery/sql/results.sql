-- Purpose: the jobs whose result tables are kept, oldest first, with the job's start in ms since 1970.
-- Parameters: none.
SELECT jobs.creation_time, jobs.project_id, jobs.job_id
FROM system.main.duckdb_tables() AS tables
JOIN emulator.jobs AS jobs ON tables.table_name = jobs.project_id || ':' || jobs.job_id
WHERE tables.database_name = 'emulator' AND tables.schema_name = '_results'
ORDER BY jobs.creation_time
