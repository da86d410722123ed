curl -X POST "http://your-host:8090/api/v1/pipelines/configs/bq_etl_test" \
  -H "X-API-Key: $API_KEY" \
  -H "Content-Type: application/json" \
  -d @configs/setup/bq_etl_test.yml
