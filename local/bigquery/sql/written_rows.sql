-- Purpose: write the rows of a query as a file has them.
-- Parameters: the columns as they are written, and the query.
SELECT ${columns} FROM (${query})
