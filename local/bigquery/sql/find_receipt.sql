-- Purpose: how many rows a job changed, where it has committed them; no row where it has not.
-- Parameters: $job; ${catalog} is the metadata catalog of a project's DuckLake.
SELECT commit_extra_info FROM ${catalog}.ducklake_snapshot_changes WHERE commit_message = $job
