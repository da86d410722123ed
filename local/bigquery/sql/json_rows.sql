-- Purpose: read rows of JSON as columns.
-- Parameters: ${rows}, which has a row of JSON in each, and ${type}, the STRUCT of its columns.
(SELECT unnest(CAST("row" AS JSON)::${type}) FROM ${rows})
