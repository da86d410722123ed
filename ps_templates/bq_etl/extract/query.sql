-- Select the rows that are written to files.
-- Parameters: those that source_query uses
${source_query}
