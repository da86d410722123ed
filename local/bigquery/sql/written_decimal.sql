-- Purpose: write a NUMERIC without zeros behind it.
-- Parameters: the value.
regexp_replace(regexp_replace(CAST(${value} AS VARCHAR), '(\.\d*?)0+$', '\1'), '\.$', '')
