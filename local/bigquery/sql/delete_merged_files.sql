-- Purpose: delete the files that a merge replaced, once no reader can still have them open.
-- Parameters: $project.
CALL ducklake_cleanup_old_files($project, older_than => now() - INTERVAL 1 MINUTE)
