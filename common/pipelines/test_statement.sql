-- Tell how the rows of a query differ from those that are expected; all it reads are literals.
-- Parameters: those of the query
WITH _cvg_actual AS (
${query}
),
_cvg_expected AS (
${expected}
)
SELECT ${names}, SUM(_cvg_side) AS _cvg_missing
FROM (
  SELECT ${names}, 1 AS _cvg_side FROM _cvg_expected
  UNION ALL
  SELECT ${casts}, -1 AS _cvg_side FROM _cvg_actual
)
GROUP BY ${names}
HAVING SUM(_cvg_side) != 0
LIMIT 100
