-- Show each API key's state: its latest row.
-- Parameters: none
CREATE OR REPLACE VIEW `${project}.${dataset}.current_api_keys`
OPTIONS (description = 'The state of each API key: its latest row.', labels = [('managed_by', 'convergence'), ('definition', '${definition}')])
AS
SELECT *
FROM `${project}.${dataset}.tenant_api_keys`
WHERE TRUE -- BigQuery takes QUALIFY beside a WHERE only
QUALIFY ROW_NUMBER() OVER (PARTITION BY api_key_hash ORDER BY recorded_at DESC) = 1
