-- Count the rows of a table in the central dataset and in a backup, those in the streaming buffer too.
-- Parameters: none
SELECT
  (SELECT COUNT(*) FROM `${project}.${dataset}.${table}`) AS central,
  (SELECT COUNT(*) FROM `${project}.${backup}.${table}`) AS backup
