-- Purpose: read columns of files.
-- Parameters: the columns, and the reader.
SELECT ${columns} FROM ${reader}
