# Every option on.

mock_provider "google" {}
mock_provider "archive" {}

variables {
  project_id         = "example-convergence-test"
  environment        = "prod"
  region             = "europe-west1"
  bigquery_location  = "EU"
  admin_api_key      = "made-up-admin-key-0001"
  onboarding_mode    = "token"
  onboarding_token   = "made-up-token-000001"
  iam_settle_seconds = 0

  console_enabled = true
  console_keys    = "made-up-key-of-sessions-of-32-chars"

  levels_signed = true
  levels_keys   = "made-up-key-of-levels-of-32-chars-1"

  credentials_enabled     = true
  credentials_keyring     = "{\"active\": \"k1\", \"keys\": {\"k1\": \"bWFkZS11cA==\"}}"
  credentials_public_keys = "{\"active\": \"k1\", \"public_keys\": {\"k1\": \"bm9ib2R5cy1wdWJsaWMta2V5LWJ1dC0zMi1ieXRlcyE=\"}}"

  domain = "pipelines.example.com"
  kms_keys = {
    regional = "projects/example-keys/locations/europe-west1/keyRings/convergence/cryptoKeys/platform"
    bigquery = "projects/example-keys/locations/eu/keyRings/convergence/cryptoKeys/bigquery"
  }
  function_settings      = { run_level = { min_instances = 1, max_instances = 100, concurrency = 32 } }
  dedicated_tenants      = { acme_bank = "tenant-acme-bank", zeta = "tenant-zeta" }
  run_request_publishers = ["serviceAccount:orchestrator@example-other.iam.gserviceaccount.com"]
  run_event_subscribers  = ["group:data-consumers@example.com"]
  alert_emails           = ["on-call@example.com"]
  notification_channels  = ["projects/example-convergence-test/notificationChannels/1"]
  budget                 = { billing_account = "012345-6789AB-CDEF01", amount = 500, currency = "EUR" }
  scheduler_paused       = true
  deletion_protection    = false
}

run "everything" {
  command = plan

  assert {
    condition = alltrue([
      for function in google_cloudfunctions2_function.function :
      function.service_config[0].environment_variables["THREADS"] == tostring(function.service_config[0].max_instance_request_concurrency)
    ])
    error_message = "An instance has a thread for each request that it is sent."
  }

  assert {
    condition     = google_cloudfunctions2_function.function["run_level"].service_config[0].environment_variables["THREADS"] == "32"
    error_message = "Threads follow a concurrency that was chosen."
  }

  assert {
    condition = alltrue([
      for name, function in google_cloudfunctions2_function.function :
      function.service_config[0].ingress_settings == (contains(["admin", "console", "onboarding", "pipelines"], name) ? "ALLOW_INTERNAL_AND_GCLB" : "ALLOW_INTERNAL_ONLY")
    ])
    error_message = "Behind a gateway nothing can go around it."
  }

  assert {
    condition     = alltrue([for name, url in output.urls : url == "https://pipelines.example.com"]) && alltrue([for name, function in google_cloudfunctions2_function.function : function.service_config[0].environment_variables.PUBLIC_URL == "https://pipelines.example.com"])
    error_message = "One host serves all of the contract's paths, and links name it."
  }

  assert {
    condition     = alltrue([for name, function in google_cloudfunctions2_function.function : function.service_config[0].environment_variables.TRUSTED_PROXIES == "2"])
    error_message = "The gateway appends the client's address and its own."
  }

  assert {
    condition     = { for function, paths in local.gateway_paths : paths[1] => function } == { "/admin/*" = "admin", "/api/v1/tenants/*" = "onboarding", "/api/v1/pipelines/*" = "pipelines", "/console/*" = "console" }
    error_message = "The gateway sends each path to its function, the console's too."
  }

  assert {
    condition     = [for name, function in google_cloudfunctions2_function.function : name if anytrue([for secret in function.service_config[0].secret_environment_variables : secret.key == "CREDENTIALS_KEYRING"])] == ["run_level"]
    error_message = "What opens secrets is given to the function alone that needs them open."
  }

  assert {
    condition     = alltrue([for function in google_cloudfunctions2_function.function : function.service_config[0].environment_variables.CREDENTIALS_PUBLIC_KEYS == var.credentials_public_keys])
    error_message = "Functions seal with the public half."
  }

  assert {
    condition     = alltrue([for topic in google_pubsub_topic.topic : topic.kms_key_name == var.kms_keys.regional]) && google_bigquery_dataset.central.default_encryption_configuration[0].kms_key_name == var.kms_keys.bigquery
    error_message = "Topics and datasets are under the customer's keys."
  }

  assert {
    condition     = google_cloudfunctions2_function.function["run_level"].service_config[0].min_instance_count == 1 && google_cloudfunctions2_function.function["run_level"].service_config[0].timeout_seconds == 600
    error_message = "Settings that are given replace defaults, and others stay."
  }

  assert {
    condition     = length(google_service_account_iam_member.executor_user) == 7 && length([for grant in local.executor_grants : grant if grant.account == "pipelines"]) == 1
    error_message = "Three functions may act as the shared executor, and two of them as each dedicated one: what is public may not."
  }

  assert {
    condition     = local.scopes.shared_tenants.expression == "!(resource.name == \"projects/example-convergence-test/datasets/tenants\" || resource.name.startsWith(\"projects/example-convergence-test/datasets/tenants/\") || resource.name.startsWith(\"projects/example-convergence-test/datasets/tenants_\") || resource.name == \"projects/example-convergence-test/datasets/acme_bank\" || resource.name.startsWith(\"projects/example-convergence-test/datasets/acme_bank/\") || resource.name == \"projects/example-convergence-test/datasets/zeta\" || resource.name.startsWith(\"projects/example-convergence-test/datasets/zeta/\"))"
    error_message = "The shared executor is kept out of the datasets of tenants with accounts of their own."
  }

  assert {
    condition = [
      for rule in google_compute_security_policy.gateway["main"].rule : one(rule.match[0].expr).expression if rule.priority == 1000
    ] == ["request.path.urlDecode().matches('^/+api/+v1/+tenants/+(onboard|dryrun)')"]
    error_message = "Onboarding is throttled however its path is spelled."
  }

  assert {
    condition     = local.project_roles["tenant:acme_bank"] == { RunJobs = null, WriteTenants = "tenant:acme_bank" }
    error_message = "A tenant's own account reaches its dataset alone."
  }

  assert {
    condition     = google_cloud_scheduler_job.dispatcher.paused && length(google_billing_budget.month) == 1 && length(google_monitoring_notification_channel.email) == 1
    error_message = "The scheduler is paused, the budget set, the channel made."
  }

  assert {
    condition     = alltrue([for table in google_bigquery_table.central : !table.deletion_protection])
    error_message = "A project that is thrown away lets go of its tables."
  }
}

run "as_many_dedicated_tenants_as_there_may_be" {
  command = plan

  variables {
    dedicated_tenants = { aaa = "tenant-a", bbb = "tenant-b", ccc = "tenant-c", ddd = "tenant-d" }
  }

  assert {
    condition     = alltrue([for scope in local.scopes : length(regexall("\\|\\||&&|!", scope.expression)) <= 12])
    error_message = "A condition takes 12 logical operators."
  }
}

run "buckets_of_files" {
  command = plan

  variables {
    file_buckets = {
      example-shared-files = { writes = true }
      example-bank-files   = { tenants = ["acme_bank"] }
    }
  }

  assert {
    condition = {
      for key, grant in google_storage_bucket_iam_member.files : key => grant.role
      } == {
      "example-shared-files/executor"       = "roles/storage.objectUser"
      "example-bank-files/tenant:acme_bank" = "roles/storage.objectViewer"
    }
    error_message = "A bucket is open to the shared account, or to those of the tenants that are named, and to nobody else."
  }
}
