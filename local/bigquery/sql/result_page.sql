-- Purpose: some rows that a query job left, each as JSON.
-- Parameters: $limit, $start; ${row} makes a row's JSON, ${table} is the result table.
SELECT ${row} FROM (SELECT * FROM ${table} ORDER BY rowid LIMIT $limit OFFSET $start)
