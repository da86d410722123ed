-- Delete by unique_key and add, and look for rows that are there in the partitions of the run's window alone.
-- Parameters: those that source_query uses, window_start, window_end
MERGE ${target_table} AS target
USING (
  SELECT _cvg_removes, incoming AS entry
  FROM (${source_query}) AS incoming
  CROSS JOIN UNNEST([FALSE, TRUE]) AS _cvg_removes
  WHERE IF(@@keys_are_given, TRUE, ERROR('a row of source_query has NULL in unique_key'))
    AND IF(
      incoming.${partition.field} >= @window_start AND incoming.${partition.field} < @window_end,
      TRUE,
      ERROR('a row of source_query is not within the interval of the run and its lookback')
    )
  QUALIFY NOT _cvg_removes OR ROW_NUMBER() OVER (PARTITION BY _cvg_removes, ${unique_key}) = 1
) AS source
ON source._cvg_removes
  AND @@keys_match
  AND target.${partition.field} >= @window_start
  AND target.${partition.field} < @window_end
WHEN MATCHED THEN DELETE
WHEN NOT MATCHED BY TARGET AND NOT source._cvg_removes THEN INSERT (@@columns) VALUES (@@source_columns)
