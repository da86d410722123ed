-- Make the view, or give it another text.
-- Parameters: none
CREATE OR REPLACE VIEW ${target_table} AS
${source_query}
