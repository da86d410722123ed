-- Select the rows whose value in a column is out of bounds; one that is not given is the value itself.
-- Parameters: those that `where` uses
SELECT * FROM ${table}
WHERE ${where}
  AND (
    ${column} < IFNULL(${min}, ${column})
    OR ${column} > IFNULL(${max}, ${column})
    OR (NOT ${inclusive} AND ${column} IN (${min}, ${max}))
  )
