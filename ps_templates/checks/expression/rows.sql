-- Select the rows of which a condition is false.
-- Parameters: those that `where` and `expression` use
SELECT * FROM ${table} WHERE ${where} AND NOT ${expression}
