-- Select the rows that make the target table.
-- Parameters: those that source_query uses
SELECT *
FROM (${source_query}) AS incoming
