-- Purpose: write a job of which nothing is written yet: INSERT OR REPLACE would take twice as long.
-- Parameters: $project_id, $job_id, $parent_job_id, $state, $creation_time, $resource (the job as JSON).
INSERT INTO emulator.jobs VALUES ($project_id, $job_id, $parent_job_id, $state, $creation_time, $resource)
