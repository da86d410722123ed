-- Count the probes that have arrived in a table that rows are streamed to.
-- Parameters: probe_id STRING, since TIMESTAMP
SELECT COUNT(*) AS probes
FROM `${project}.${dataset}.${table}`
WHERE ${partition} >= @since AND ${key} = @probe_id
