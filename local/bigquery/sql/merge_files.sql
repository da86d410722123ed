-- Purpose: merge the small files of all tables of a project into larger ones.
-- Parameters: $project.
CALL ducklake_merge_adjacent_files($project)
