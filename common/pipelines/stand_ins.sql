-- Read what a query reads, of stand-ins where its tables are not there yet.
-- Parameters: none
WITH ${stand_ins} SELECT * FROM (
${query}
)
