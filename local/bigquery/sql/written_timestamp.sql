-- Purpose: write a TIMESTAMP as a file has it.
-- Parameters: the value.
regexp_replace(regexp_replace(strftime(${value} AT TIME ZONE 'UTC', '%Y-%m-%d %H:%M:%S.%f'), '(\.\d*?)0+$', '\1'), '\.$', '') || ' UTC'
