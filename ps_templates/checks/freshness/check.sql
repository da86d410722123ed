-- Find the latest time in a column, and whether it is too old.
-- Parameters: those that `where` uses
SELECT
  COUNTIF(${where} AND ${column} IS NOT NULL) AS checked,
  IF(
    COALESCE(
      TIMESTAMP_DIFF(CURRENT_TIMESTAMP(), MAX(IF(${where}, CAST(${column} AS TIMESTAMP), NULL)), SECOND)
        <= ${max_age_hours} * 3600,
      FALSE
    ),
    0,
    1
  ) AS failed,
  CAST(MAX(IF(${where}, CAST(${column} AS TIMESTAMP), NULL)) AS STRING) AS observed
FROM ${table}
