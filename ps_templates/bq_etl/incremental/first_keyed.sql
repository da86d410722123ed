-- Select the rows that make a target table in which each unique_key is there once.
-- Parameters: those that source_query uses
SELECT *
FROM (${source_query}) AS incoming
WHERE IF(@@keys_are_given, TRUE, ERROR('a row of source_query has NULL in unique_key'))
QUALIFY IF(
  COUNT(*) OVER (PARTITION BY ${unique_key}) = 1,
  TRUE,
  ERROR('two rows of source_query have the same unique_key')
)
