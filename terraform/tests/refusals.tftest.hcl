# Values that make no sense are refused, by the variable that they were given to, before anything is planned.
# A run holds one fault of each variable; what is wrong with it is said beside it.

mock_provider "google" {}
mock_provider "archive" {}

variables {
  project_id         = "example-convergence-test"
  admin_api_key      = "made-up-admin-key-0001"
  iam_settle_seconds = 0
}

run "first_faults" {
  command = plan

  expect_failures = [
    var.project_id,
    var.environment,
    var.labels,
    var.function_settings,
    var.level_seconds,
    var.domain,
    var.rate_limits,
    var.run_request_publishers,
    var.run_event_subscribers,
    var.secret_values_from,
    var.onboarding_mode,
    var.admin_api_key_version,
    var.onboarding_token_version,
    var.credentials_keyring_version,
    var.levels_keys_version,
    var.console_keys_version,
    var.alert_emails,
    var.notification_channels,
    var.offboarding_grace_days,
    var.onboarding_rate,
    var.runbook_url,
    var.alert_thresholds,
    var.budget,
    var.price_per_tebibyte,
    var.backup_schedule,
    var.backup_retention_days,
    var.message_retention_days,
    var.iam_settle_seconds,
    var.region,
    var.bigquery_location,
    var.central_dataset,
    var.maximum_bytes_billed,
  ]

  variables {
    project_id                  = "123456789012"                             # a number, not an ID
    environment                 = "Production 1"                             # no label
    labels                      = { app = "other" }                          # a label that Terraform sets
    function_settings           = { reporter = { memory = "1G" } }           # no such function
    level_seconds               = 600                                        # longer than a message may take
    domain                      = "https://example.com/api"                  # a URL
    rate_limits                 = { onboarding_per_minute = 0 }              # nobody could onboard
    run_request_publishers      = ["allUsers"]                               # everybody
    run_event_subscribers       = ["allAuthenticatedUsers"]                  # everybody
    secret_values_from          = "state"                                    # not where secrets come from
    onboarding_mode             = "invite"                                   # no such mode
    admin_api_key_version       = 1.5                                        # not whole
    console_keys_version        = 0                                          # versions begin at 1
    levels_keys_version         = 0                                          # versions begin at 1
    credentials_keyring_version = 0                                          # versions begin at 1
    onboarding_token_version    = 0                                          # versions begin at 1
    alert_emails                = ["on-call"]                                # no address
    notification_channels       = ["1234567890"]                             # not the full name
    onboarding_rate             = { per_source = 0 }                         # nobody could onboard
    offboarding_grace_days      = 0                                          # no time to export anything
    runbook_url                 = ""                                         # nowhere
    alert_thresholds            = { run_failure_ratio = 20 }                 # a percentage, not a share
    budget                      = { billing_account = "main", amount = 100 } # no account's ID
    price_per_tebibyte          = -1                                         # negative
    backup_schedule             = "0 2 * * *"                                # cron's words, not the transfer service's
    backup_retention_days       = 3                                          # less than time travel has
    message_retention_days      = 90                                         # longer than Pub/Sub keeps messages
    iam_settle_seconds          = 3600                                       # an hour
    region                      = "us-central1-a"                            # a zone
    bigquery_location           = "Germany"                                  # no location
    central_dataset             = "central-tables"                           # no dataset's name
    maximum_bytes_billed        = 1000                                       # less than BigQuery bills
  }
}

run "second_faults" {
  command = plan

  expect_failures = [
    var.admin_api_key,
    var.allowed_sources,
    var.dedicated_tenants,
    var.function_settings,
    var.kms_keys,
    var.alert_thresholds,
    var.budget,
  ]

  variables {
    admin_api_key     = null                                                     # terraform writes the secret, and has no value
    allowed_sources   = ["*"]                                                    # everything
    dedicated_tenants = { tenants_copy = "tenant-copy" }                         # named like the central dataset
    function_settings = { admin = { memory = "512" } }                           # no unit
    kms_keys          = { regional = "my-key" }                                  # not the full name
    alert_thresholds  = { stuck_seconds = 60 }                                   # less than a level may take
    budget            = { billing_account = "012345-6789AB-CDEF01", amount = 0 } # no money
  }
}

run "third_faults" {
  command = plan

  expect_failures = [
    var.admin_api_key,
    var.allowed_sources,
    var.dedicated_tenants,
    var.function_settings,
    var.kms_keys,
  ]

  variables {
    admin_api_key     = "made-up-admin-key-0001,short"                                                        # the second key is short
    allowed_sources   = ["example-convergence-test"]                                                          # the platform's project
    dedicated_tenants = { acme = "convergence-admin" }                                                        # one of the platform's accounts
    function_settings = { admin = { timeout_seconds = 7200 } }                                                # two hours
    kms_keys          = { regional = "projects/example-keys/locations/europe-west1/keyRings/r/cryptoKeys/k" } # in another region
  }
}

run "fourth_faults" {
  command = plan

  expect_failures = [
    var.allowed_sources,
    var.dedicated_tenants,
    var.function_settings,
    var.kms_keys,
  ]

  variables {
    allowed_sources   = ["example-convergence-test.tenants"]                                        # the central dataset
    dedicated_tenants = { acme = "tenant-acme", beta = "tenant-acme" }                              # one account for two
    function_settings = { admin = { min_instances = 5, max_instances = 2 } }                        # at least more than at most
    kms_keys          = { bigquery = "projects/example-keys/locations/eu/keyRings/r/cryptoKeys/k" } # not where the data is
  }
}

run "fifth_faults" {
  command = plan

  expect_failures = [
    var.dedicated_tenants,
  ]

  variables {
    dedicated_tenants = { aaa = "tenant-a", bbb = "tenant-b", ccc = "tenant-c", ddd = "tenant-d", eee = "tenant-e" } # more than a condition can name
  }
}

run "buckets_have_names" {
  command = plan

  expect_failures = [
    var.file_buckets,
  ]

  variables {
    file_buckets = { "gs://acme-files" = {} } # an address, no name
  }
}

run "tenants_of_buckets_are_dedicated" {
  command = plan

  expect_failures = [
    var.file_buckets,
  ]

  variables {
    file_buckets = { acme-files = { tenants = ["beta"] } } # no dedicated tenant
  }
}

run "token_mode_needs_a_token" {
  command         = plan
  expect_failures = [var.onboarding_token]

  variables {
    onboarding_mode  = "token"
    onboarding_token = null
  }
}

run "signatures_need_long_keys" {
  command         = plan
  expect_failures = [var.levels_keys]

  variables {
    levels_signed = true
    levels_keys   = "made-up-key-of-levels-of-32-chars-1,short"
  }
}

run "the_console_needs_long_keys" {
  command         = plan
  expect_failures = [var.console_keys]

  variables {
    console_enabled = true
    console_keys    = "made-up-key-of-sessions-of-32-chars,short"
  }
}

run "credentials_need_a_key_ring" {
  command         = plan
  expect_failures = [var.credentials_keyring, var.credentials_public_keys]

  variables {
    credentials_enabled     = true
    credentials_keyring     = null
    credentials_public_keys = null
  }
}

run "the_ring_itself_is_no_public_half" {
  command         = plan
  expect_failures = [var.credentials_public_keys]

  variables {
    credentials_public_keys = "{\"active\": \"k1\", \"keys\": {\"k1\": \"bWFkZS11cA==\"}}"
  }
}

run "run_level_has_time_to_hand_over" {
  command         = plan
  expect_failures = [google_cloudfunctions2_function.function]

  variables {
    level_seconds     = 480
    function_settings = { run_level = { timeout_seconds = 480 } }
  }
}

run "a_push_is_answered_within_its_deadline" {
  command         = plan
  expect_failures = [google_cloudfunctions2_function.function]

  variables {
    function_settings = { run_request = { timeout_seconds = 900 } }
  }
}

run "notices_need_credentials" {
  command         = plan
  expect_failures = [var.notifications_enabled]

  variables {
    notifications_enabled = true
    credentials_enabled   = false
  }
}
