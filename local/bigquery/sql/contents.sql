-- Purpose: read files as they are.
-- Parameters: ${files} is a list of texts.
SELECT content FROM read_blob(${files}) ORDER BY filename
