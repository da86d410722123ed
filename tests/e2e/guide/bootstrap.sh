curl -X POST "http://your-host:8090/admin/bootstrap" \
  -H "X-Admin-Key: $ADMIN_API_KEY" \
  -H "Content-Type: application/json" \
  -d '{
    "force_recreate_dataset": false,
    "force_recreate_tables": false
  }'
