-- Purpose: write BYTES as a file has them.
-- Parameters: the value.
to_base64(${value})
