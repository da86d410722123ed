-- Purpose: the jobs that an earlier process started and did not live to finish.
-- Parameters: none.
SELECT resource FROM emulator.jobs WHERE state <> 'DONE'
