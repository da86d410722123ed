-- Takes a snapshot of one table of the central dataset, named <table>_<YYYYMMDD>; one that exists already is left alone.
-- Parameters: project, dataset, table, snapshots (a dataset), retention_days (a snapshot deletes itself after so many).
EXECUTE IMMEDIATE FORMAT(
  """
  CREATE SNAPSHOT TABLE IF NOT EXISTS `${project}.${snapshots}.${table}_%s`
  CLONE `${project}.${dataset}.${table}`
  OPTIONS (expiration_timestamp = TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL ${retention_days} DAY))
  """,
  FORMAT_DATE('%Y%m%d', CURRENT_DATE('UTC'))
);
