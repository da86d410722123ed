-- Purpose: write an INT64 as a file has it.
-- Parameters: the value.
CAST(${value} AS VARCHAR)
