-- Add the rows of source_query to the target table.
-- Parameters: those that source_query uses
INSERT INTO ${target_table} (@@columns)
SELECT @@columns
FROM (${source_query}) AS incoming
