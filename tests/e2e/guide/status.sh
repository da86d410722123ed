curl -X GET "http://your-host:8090/api/v1/pipelines/status/{pipeline_logging_id}" \
  -H "X-API-Key: $API_KEY"
