-- Copy a central table with all its rows; a copy job would leave out what is still in the streaming buffer.
-- Parameters: none
CREATE OR REPLACE TABLE `${project}.${backup}.${table}`
AS
SELECT * FROM `${project}.${dataset}.${table}`
