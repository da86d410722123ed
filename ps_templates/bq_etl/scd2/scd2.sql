-- Close the rows that have changed, by hard_deletes also those that are gone, and add what has changed as it is now.
-- Parameters: those that source_query uses, valid_at
MERGE ${target_table} AS target
USING (
  SELECT
    _cvg_adds,
    there.valid_from AS _cvg_valid_from,
    there.valid_from IS NULL OR @@there_compared != @@incoming_compared AS _cvg_changed,
    incoming AS entry
  FROM (${source_query}) AS incoming
  LEFT JOIN (SELECT * FROM ${target_table} WHERE valid_to IS NULL) AS there ON @@keys_are_there
  CROSS JOIN UNNEST([FALSE, TRUE]) AS _cvg_adds
  WHERE IF(@@keys_are_given, TRUE, ERROR('a row of source_query has NULL in unique_key'))
    AND IF(
      IFNULL(there.valid_from <= @valid_at, TRUE),
      TRUE,
      ERROR('the table has rows that are valid from a later time than that of the run: history is written in order')
    )
  QUALIFY IF(
    COUNT(*) OVER (PARTITION BY _cvg_adds, @@incoming_keys) = 1,
    TRUE,
    ERROR('two rows of source_query have the same unique_key')
  )
) AS source
ON NOT source._cvg_adds AND target.valid_to IS NULL AND @@keys_match
WHEN MATCHED AND source._cvg_changed AND target.valid_from = @valid_at THEN UPDATE SET @@assignments
WHEN MATCHED AND source._cvg_changed THEN UPDATE SET valid_to = @valid_at
WHEN NOT MATCHED BY TARGET
  AND source._cvg_adds
  AND source._cvg_changed
  AND IFNULL(source._cvg_valid_from < @valid_at, TRUE)
  THEN INSERT (@@columns, valid_from, valid_to) VALUES (@@source_columns, @valid_at, NULL)
WHEN NOT MATCHED BY SOURCE
  AND ${hard_deletes} = 'close'
  AND target.valid_to IS NULL
  AND target.valid_from < @valid_at
  THEN UPDATE SET valid_to = @valid_at
WHEN NOT MATCHED BY SOURCE
  AND ${hard_deletes} = 'close'
  AND target.valid_to IS NULL
  AND target.valid_from = @valid_at
  THEN DELETE
