-- Put the rows of source_query in the place of all that the target table has in the run's window.
-- Parameters: those that source_query uses, window_start, window_end
MERGE ${target_table} AS target
USING (
  SELECT incoming AS entry
  FROM (${source_query}) AS incoming
  WHERE IF(
    incoming.${partition.field} >= @window_start AND incoming.${partition.field} < @window_end,
    TRUE,
    ERROR('a row of source_query is not within the interval of the run and its lookback')
  )
) AS source
ON FALSE
WHEN NOT MATCHED BY SOURCE
  AND target.${partition.field} >= @window_start
  AND target.${partition.field} < @window_end
  THEN DELETE
WHEN NOT MATCHED BY TARGET THEN INSERT (@@columns) VALUES (@@source_columns)
