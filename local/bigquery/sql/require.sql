-- Purpose: let a column hold no NULL.
-- Parameters: ${table}, ${column}.
ALTER TABLE ${table} ALTER COLUMN ${column} SET NOT NULL
