-- Select the rows whose values in some columns others have too.
-- Parameters: those that `where` uses
SELECT * FROM ${table} WHERE ${where} AND ${columns_given}
QUALIFY COUNT(*) OVER (PARTITION BY ${columns}) > 1
