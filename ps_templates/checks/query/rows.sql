-- Select the rows that a query finds.
-- Parameters: those that the query uses
SELECT * FROM (
  ${query}
)
