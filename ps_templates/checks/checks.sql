-- Count what breaks the checks of a table: in one scan, but for those that read more than its rows one by one.
-- Parameters: those that the texts of the checks use
SELECT *
FROM (
  SELECT
    ${measures}
  FROM ${table}
) AS convergence_scan
${others}
