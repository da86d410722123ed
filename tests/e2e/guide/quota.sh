curl -X GET "http://your-host:8090/api/v1/tenants/quota" \
  -H "X-API-Key: $API_KEY"
