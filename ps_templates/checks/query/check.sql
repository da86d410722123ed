-- Count the rows that a query finds.
-- Parameters: those that the query uses
SELECT
  CAST(NULL AS INT64) AS checked,
  COUNT(*) AS failed,
  CAST(NULL AS STRING) AS observed
FROM (
  ${query}
)
