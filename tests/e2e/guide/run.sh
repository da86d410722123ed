curl -X POST "http://your-host:8090/api/v1/pipelines/run/bq_etl_test" \
  -H "X-API-Key: $API_KEY" \
  -H "Content-Type: application/json" \
  -d '{"date": "2024-01-01"}'
