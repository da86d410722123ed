-- Select the rows that make the history: all of them are valid from now on.
-- Parameters: those that source_query uses, valid_at
SELECT *, @valid_at AS valid_from, CAST(NULL AS TIMESTAMP) AS valid_to
FROM (${source_query}) AS incoming
WHERE IF(@@keys_are_given, TRUE, ERROR('a row of source_query has NULL in unique_key'))
QUALIFY IF(
  COUNT(*) OVER (PARTITION BY ${unique_key}) = 1,
  TRUE,
  ERROR('two rows of source_query have the same unique_key')
)
