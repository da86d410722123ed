# Production behind a domain, with every option on. Give TF_VAR_admin_api_key,
# TF_VAR_onboarding_token, TF_VAR_credentials_keyring, TF_VAR_levels_keys and TF_VAR_console_keys from your vault.
project_id        = "example-convergence-prod"
environment       = "prod"
region            = "europe-west1"
bigquery_location = "EU"
labels            = { cost_centre = "data-platform" }

domain = "pipelines.example.com"
rate_limits = {
  onboarding_per_minute = 5
  requests_per_minute   = 1200
}

maximum_bytes_billed = 549755813888 # half a TiB a step

onboarding_mode       = "token"
levels_signed         = true
console_enabled       = true
credentials_enabled   = true
notifications_enabled = true
# The public half of the key ring, from `make credentials-public-keys`: no secret, and no key of anybody's here.
credentials_public_keys = "{\"active\": \"k1\", \"public_keys\": {\"k1\": \"bm9ib2R5cy1wdWJsaWMta2V5LWJ1dC0zMi1ieXRlcyE=\"}}"
kms_keys = {
  regional = "projects/example-keys/locations/europe-west1/keyRings/convergence/cryptoKeys/platform"
  bigquery = "projects/example-keys/locations/eu/keyRings/convergence/cryptoKeys/bigquery"
}

# Warm instances where people and pushes would otherwise wait for a start.
function_settings = {
  pipelines = { min_instances = 1, max_instances = 40 }
  run_level = { min_instances = 1, max_instances = 100, memory = "1G" }
}

dedicated_tenants      = { acme_bank = "tenant-acme-bank" }
run_request_publishers = ["serviceAccount:orchestrator@example-other.iam.gserviceaccount.com"]
run_event_subscribers  = ["group:data-consumers@example.com"]

alert_emails          = ["on-call@example.com", "data-platform@example.com"]
notification_channels = ["projects/example-convergence-prod/notificationChannels/1234567890"]
alert_thresholds      = { run_failure_ratio = 0.1, stuck_seconds = 1200 }
runbook_url           = "https://docs.example.com/convergence/runbook"
budget                = { billing_account = "012345-6789AB-CDEF01", amount = 2000, currency = "EUR" }
backup_retention_days = 90
