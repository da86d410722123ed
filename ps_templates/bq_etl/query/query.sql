-- Select the rows that the step writes to its target table.
-- Parameters: those that source_query uses
${source_query}
