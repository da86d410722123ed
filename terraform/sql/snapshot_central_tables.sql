-- Takes a snapshot of every table of the central dataset, named <table>_<YYYYMMDD>; one that exists already is left alone.
-- Parameters: project, dataset, snapshots (a dataset), retention_days (a snapshot deletes itself after so many).
FOR central IN (
  SELECT table_name
  FROM `${project}.${dataset}`.INFORMATION_SCHEMA.TABLES
  WHERE table_type = 'BASE TABLE'
  ORDER BY table_name
)
DO
  EXECUTE IMMEDIATE FORMAT(
    """
    CREATE SNAPSHOT TABLE IF NOT EXISTS `${project}.${snapshots}.%s_%s`
    CLONE `${project}.${dataset}.%s`
    OPTIONS (expiration_timestamp = TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL ${retention_days} DAY))
    """,
    central.table_name, FORMAT_DATE('%Y%m%d', CURRENT_DATE('UTC')), central.table_name
  );
END FOR;
