-- Purpose: store jobs that have ended, except those whose IDs are used; return the project and ID of each that is stored.
-- Parameters: $jobs is a JSON array of jobs.
INSERT INTO emulator.jobs
SELECT
  job ->> '$.jobReference.projectId', job ->> '$.jobReference.jobId', NULL, job ->> '$.status.state',
  (job ->> '$.statistics.creationTime')::BIGINT, job
FROM (SELECT unnest($jobs::JSON[]) AS job)
ON CONFLICT DO NOTHING
RETURNING project_id, job_id
