# What a deployment is when nothing is asked for but a project and a key.

mock_provider "google" {}
mock_provider "archive" {}

variables {
  project_id         = "example-convergence-test"
  admin_api_key      = "made-up-admin-key-0001"
  iam_settle_seconds = 0
}

run "defaults" {
  command = plan

  assert {
    condition     = length(google_cloudfunctions2_function.function) == 6
    error_message = "Each function is deployed; the console only where it is asked for."
  }

  assert {
    condition     = alltrue([for function in google_cloudfunctions2_function.function : function.build_config[0].runtime == "python313"])
    error_message = "Functions run on Python 3.13."
  }

  assert {
    condition = alltrue([
      for function in google_cloudfunctions2_function.function :
      function.service_config[0].environment_variables["THREADS"] == tostring(function.service_config[0].max_instance_request_concurrency)
    ])
    error_message = "An instance has a thread for each request that it is sent."
  }

  assert {
    condition = {
      for name, function in google_cloudfunctions2_function.function : name => function.service_config[0].ingress_settings
      } == {
      admin       = "ALLOW_ALL"
      dispatcher  = "ALLOW_INTERNAL_ONLY"
      onboarding  = "ALLOW_ALL"
      pipelines   = "ALLOW_ALL"
      run_level   = "ALLOW_INTERNAL_ONLY"
      run_request = "ALLOW_INTERNAL_ONLY"
    }
    error_message = "Without a gateway the contract's functions are open to all, and the others to the project alone."
  }

  assert {
    condition     = toset(keys(google_cloud_run_v2_service_iam_member.public)) == toset(["admin", "onboarding", "pipelines"])
    error_message = "Only the contract's functions may be called by everybody."
  }

  assert {
    condition     = toset(keys(google_bigquery_table.central)) == toset([for file in fileset("../ps_templates/setup/initial/schemas", "*.json") : trimsuffix(file, ".json")])
    error_message = "Each schema file is a central table."
  }

  assert {
    condition = length(local.snapshot_statements) == length(google_bigquery_table.central) && alltrue([
      for table in keys(google_bigquery_table.central) :
      strcontains(google_bigquery_data_transfer_config.snapshots.params.query, "CLONE `example-convergence-test.tenants.${table}`")
    ])
    error_message = "The backup takes a snapshot of each central table, by its name."
  }

  assert {
    condition     = alltrue([for table in google_bigquery_table.central : table.deletion_protection]) && !google_bigquery_dataset.central.delete_contents_on_destroy
    error_message = "Data outlives a destroy."
  }

  assert {
    condition     = length(google_secret_manager_secret.secret) == 1 && length(google_secret_manager_secret_version.onboarding_token) == 0
    error_message = "The onboarding token is a secret only where onboarding asks for it."
  }

  assert {
    condition     = output.urls.pipelines == "https://us-central1-example-convergence-test.cloudfunctions.net/convergence-pipelines"
    error_message = "Without a domain the functions' own URLs serve."
  }

  assert {
    condition = alltrue([
      for name in ["admin", "onboarding", "pipelines"] :
      google_cloudfunctions2_function.function[name].service_config[0].environment_variables.PUBLIC_URL == output.urls[name]
    ])
    error_message = "Without a domain each function is told its own URL."
  }

  assert {
    condition = alltrue([
      for name, url in output.urls :
      contains(split(",", google_cloudfunctions2_function.function["onboarding"].service_config[0].environment_variables.PUBLIC_URLS), "${name}=${url}")
    ])
    error_message = "Links from one function to another's paths name the other's URL."
  }

  assert {
    condition     = alltrue([for name, function in google_cloudfunctions2_function.function : function.service_config[0].environment_variables.TRUSTED_PROXIES == "1"])
    error_message = "Without a gateway Cloud Run alone appends the client's address."
  }

  assert {
    condition     = length(google_compute_global_forwarding_rule.https) == 0 && output.gateway_address == null
    error_message = "Without a domain there is no load balancer."
  }

  assert {
    condition     = length(google_billing_budget.month) == 0 && length(google_kms_crypto_key_iam_member.agent) == 0
    error_message = "Budget and customer-managed keys are options."
  }

  assert {
    condition     = local.project_roles.executor == { RunJobs = null, WriteTenants = "shared_tenants" }
    error_message = "The executor runs jobs and writes to tenants' datasets, and nothing else."
  }

  assert {
    condition = alltrue([
      for role in local.roles : length(setsubtract(local.permissions.empty, role.permissions)) == 0
      if contains(role.permissions, "bigquery.datasets.delete")
    ])
    error_message = "What deletes datasets may delete whatever is in them."
  }

  assert {
    condition     = local.scopes.shared_tenants.expression == "!(resource.name == \"projects/example-convergence-test/datasets/tenants\" || resource.name.startsWith(\"projects/example-convergence-test/datasets/tenants/\") || resource.name.startsWith(\"projects/example-convergence-test/datasets/tenants_\"))"
    error_message = "The executor is kept out of the central dataset and its copies, and of nothing that is only named alike."
  }

  assert {
    condition     = local.scopes.central.expression == "resource.name == \"projects/example-convergence-test/datasets/tenants\" || resource.name.startsWith(\"projects/example-convergence-test/datasets/tenants/\")" && local.scopes.snapshots.expression == "resource.name == \"projects/example-convergence-test/datasets/tenants_snapshots\" || resource.name.startsWith(\"projects/example-convergence-test/datasets/tenants_snapshots/\")"
    error_message = "A dataset is meant by its whole name."
  }

  assert {
    condition     = local.scopes.central_and_copies.expression == "resource.name == \"projects/example-convergence-test/datasets/tenants\" || resource.name.startsWith(\"projects/example-convergence-test/datasets/tenants/\") || resource.name.startsWith(\"projects/example-convergence-test/datasets/tenants_backup_\")"
    error_message = "What can delete the tables and their copies cannot delete the snapshots."
  }
}

run "operator_writes_the_secrets" {
  command = plan

  variables {
    admin_api_key      = null
    secret_values_from = "operator"
    onboarding_mode    = "token"
  }

  assert {
    condition     = length(google_secret_manager_secret_version.admin_api_key) == 0 && length(google_secret_manager_secret.secret) == 2
    error_message = "Secrets are made without versions where the operator writes those."
  }

  assert {
    condition     = one(google_cloudfunctions2_function.function["admin"].service_config[0].secret_environment_variables).version == "latest"
    error_message = "Functions read the operator's latest version."
  }
}
