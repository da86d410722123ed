-- Put a central table in place as its definition describes it, with the rows of the backup that fit.
-- Parameters: none
CREATE OR REPLACE TABLE `${project}.${dataset}.${table}` (
  ${columns}
)
${layout}
OPTIONS (description = ${description}, labels = [${labels}])
AS
SELECT ${values}
FROM `${project}.${backup}.${table}`
WHERE ${fits}
