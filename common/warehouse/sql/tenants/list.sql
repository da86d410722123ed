-- List tenants, those that are no more too, by ID.
-- Parameters: after STRING, most INT64
SELECT
  profile.tenant_id, profile.company_name, profile.status, profile.isolation, profile.created_at,
  subscription.plan_name
FROM `${project}.${dataset}.current_tenant_profiles` AS profile
LEFT JOIN `${project}.${dataset}.current_subscriptions` AS subscription ON subscription.tenant_id = profile.tenant_id
WHERE profile.tenant_id > @after
ORDER BY profile.tenant_id
LIMIT @most
