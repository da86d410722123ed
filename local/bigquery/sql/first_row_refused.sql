-- Purpose: say what is wrong with the first row of files that cannot be read.
-- Parameters: ${cases} has what must not be true of a row, with what to say; ${reader} reads the files.
SELECT told
FROM (SELECT CASE ${cases} END AS told FROM ${reader})
WHERE told IS NOT NULL
LIMIT 1
