-- Purpose: give the rows of a query the columns of a table.
-- Parameters: ${columns} are expressions, each as a column of the table; ${query} is the query.
SELECT ${columns} FROM (${query})
