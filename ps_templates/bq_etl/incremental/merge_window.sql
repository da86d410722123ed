-- Merge by unique_key, and look for rows that are there in the partitions of the run's window alone.
-- Parameters: those that source_query uses, window_start, window_end
MERGE ${target_table} AS target
USING (
  SELECT incoming AS entry
  FROM (${source_query}) AS incoming
  WHERE IF(@@keys_are_given, TRUE, ERROR('a row of source_query has NULL in unique_key'))
    AND IF(
      incoming.${partition.field} >= @window_start AND incoming.${partition.field} < @window_end,
      TRUE,
      ERROR('a row of source_query is not within the interval of the run and its lookback')
    )
  QUALIFY IF(
    COUNT(*) OVER (PARTITION BY ${unique_key}) = 1,
    TRUE,
    ERROR('two rows of source_query have the same unique_key')
  )
) AS source
ON @@keys_match
  AND target.${partition.field} >= @window_start
  AND target.${partition.field} < @window_end
WHEN MATCHED THEN UPDATE SET @@assignments
WHEN NOT MATCHED BY TARGET THEN INSERT (@@columns) VALUES (@@source_columns)
