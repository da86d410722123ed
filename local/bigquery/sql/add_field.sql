-- Purpose: add a field to a STRUCT.
-- Parameters: ${column} has its path and its type.
ALTER TABLE ${table} ADD COLUMN ${column}
