-- Purpose: put the name of a job, and how many rows it changed, on the snapshot that a transaction will make.
-- Parameters: $job, $counts (a JSON object); ${project} is the project whose tables the transaction writes.
CALL ${project}.set_commit_message('local-bigquery', $job, extra_info => $counts)
