-- Bring back a table that no definition knows.
-- Parameters: none
CREATE OR REPLACE TABLE `${project}.${dataset}.${table}`
AS
SELECT * FROM `${project}.${backup}.${table}`
