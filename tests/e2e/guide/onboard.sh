curl -X POST "http://your-host:8090/api/v1/tenants/onboard" \
  -H "Content-Type: application/json" \
  -d '{
    "tenant_id": "customer_name",
    "company_name": "Customer Inc",
    "admin_email": "admin@customer.com",
    "subscription_plan": "PROFESSIONAL"
  }'
