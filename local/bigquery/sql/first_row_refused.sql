-- Purpose: say what is wrong with the first row of files that cannot be read.
-- Parameters: what must not be true of a row, with what to say, as cases; and what reads the files.
SELECT told
FROM (SELECT CASE ${cases} END AS told FROM ${reader})
WHERE told IS NOT NULL
LIMIT 1
