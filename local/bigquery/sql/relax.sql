-- Purpose: let a column hold NULL.
-- Parameters: ${table}, ${column}.
ALTER TABLE ${table} ALTER COLUMN ${column} DROP NOT NULL
