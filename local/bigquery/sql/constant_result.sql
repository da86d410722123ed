-- Purpose: make the result table that all `SELECT 1` jobs share.
-- Parameters: ${table} is the result table.
CREATE TABLE IF NOT EXISTS ${table} AS SELECT 1::BIGINT AS f0_
