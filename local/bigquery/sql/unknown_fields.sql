-- Purpose: count the objects of files that have a field beside the known ones, and name one such field.
-- Parameters: ${files} and ${known} are lists of texts, the known names in lower case.
SELECT COUNT(*), MIN(unknown[1])
FROM (
    SELECT list_filter(json_keys(json), lambda name: NOT list_contains(${known}, lower(name))) AS unknown
    FROM read_json_objects(${files}, format = 'newline_delimited')
)
WHERE len(unknown) > 0
