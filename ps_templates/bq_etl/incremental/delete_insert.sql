-- Delete the rows whose unique_key is among those of source_query, and add all that it returns.
-- Parameters: those that source_query uses
MERGE ${target_table} AS target
USING (
  SELECT _cvg_removes, incoming AS entry
  FROM (${source_query}) AS incoming
  CROSS JOIN UNNEST([FALSE, TRUE]) AS _cvg_removes
  WHERE IF(@@keys_are_given, TRUE, ERROR('a row of source_query has NULL in unique_key'))
  QUALIFY NOT _cvg_removes OR ROW_NUMBER() OVER (PARTITION BY _cvg_removes, ${unique_key}) = 1
) AS source
ON source._cvg_removes AND @@keys_match
WHEN MATCHED THEN DELETE
WHEN NOT MATCHED BY TARGET AND NOT source._cvg_removes THEN INSERT (@@columns) VALUES (@@source_columns)
