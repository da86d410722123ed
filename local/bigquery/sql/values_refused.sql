-- Purpose: name the texts that are no values of a type.
-- Parameters: $texts, and ${type}.
SELECT text
FROM (SELECT unnest($texts::VARCHAR[]) AS text)
WHERE TRY_CAST(text AS ${type}) IS NULL
