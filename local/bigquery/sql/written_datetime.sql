-- Purpose: write a DATETIME as a file has it.
-- Parameters: the value.
regexp_replace(regexp_replace(strftime(${value}, '%Y-%m-%dT%H:%M:%S.%f'), '(\.\d*?)0+$', '\1'), '\.$', '')
