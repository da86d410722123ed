-- Merge the rows of source_query into the target table by unique_key: change what is there, add what is not.
-- Parameters: those that source_query uses
MERGE ${target_table} AS target
USING (
  SELECT incoming AS entry
  FROM (${source_query}) AS incoming
  WHERE IF(@@keys_are_given, TRUE, ERROR('a row of source_query has NULL in unique_key'))
  QUALIFY IF(
    COUNT(*) OVER (PARTITION BY ${unique_key}) = 1,
    TRUE,
    ERROR('two rows of source_query have the same unique_key')
  )
) AS source
ON @@keys_match
WHEN MATCHED THEN UPDATE SET @@assignments
WHEN NOT MATCHED BY TARGET THEN INSERT (@@columns) VALUES (@@source_columns)
