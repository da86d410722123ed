-- Count the rows that repeat the values which others have in some columns.
-- Parameters: those that `where` uses
SELECT
  COUNTIF(${where} AND ${columns_given}) AS checked,
  COUNTIF(${where} AND ${columns_given})
    - COUNT(DISTINCT IF(${where} AND ${columns_given}, TO_JSON_STRING(STRUCT(${columns})), NULL)) AS failed,
  CAST(NULL AS STRING) AS observed
FROM ${table}
