# The functions: one entry per folder of functions/, one Cloud Run function per entry.

locals {
  # public: the contract's own paths, where an API key or the admin key is the authentication. All others are called by
  # Pub/Sub or Cloud Scheduler, with OIDC, from inside the project. The local platform reads the same file.
  unused_functions = concat(var.console_enabled ? [] : ["console"], var.notifications_enabled ? [] : ["notify"])

  function_defaults = {
    for name, defaults in jsondecode(file("${path.module}/functions.json")) : name => defaults
    if !contains(local.unused_functions, name)
  }

  functions = {
    for name, defaults in local.function_defaults : name => merge(
      defaults,
      { for key, value in try(var.function_settings[name], {}) : key => value if value != null },
    )
  }

  public_functions = toset([for name, settings in local.functions : name if settings.public])

  # Cloud Run service names take no underscores.
  service_names = { for name in keys(local.functions) : name => "convergence-${replace(name, "_", "-")}" }

  # Known before anything exists, so that no function has to wait for another one's URL.
  function_urls = {
    for name, service in local.service_names :
    name => "https://${var.region}-${var.project_id}.cloudfunctions.net/${service}"
  }

  # Where callers reach each public function: one host in front of all of them, or each at its own.
  public_urls = { for name in local.public_functions : name => local.gateway_enabled ? "https://${var.domain}" : local.function_urls[name] }

  # What functions are told; common/settings.py says what each is for.
  environment = {
    ALLOWED_SOURCES            = join(",", var.allowed_sources)
    BIGQUERY_LOCATION          = var.bigquery_location
    CENTRAL_DATASET            = var.central_dataset
    CREDENTIALS_PUBLIC_KEYS    = var.credentials_enabled ? var.credentials_public_keys : ""
    DEAD_LETTERS_SUBSCRIPTION  = local.dead_letter_subscriptions.dispatcher
    DEAD_LETTERS_TOPIC         = local.topics.dead_letters
    DEDICATED_SERVICE_ACCOUNTS = join(",", [for tenant, account in google_service_account.tenant : "${tenant}=${account.email}"])
    EXECUTOR_SERVICE_ACCOUNT   = google_service_account.account["executor"].email
    FILLING_ROLE               = google_project_iam_custom_role.role["FillTables"].id
    GCP_PROJECT_ID             = var.project_id
    LEVEL_SECONDS              = tostring(var.level_seconds)
    LEVELS_SUBSCRIPTION        = local.subscriptions.levels
    LEVELS_TOPIC               = local.topics.levels
    MAXIMUM_BYTES_BILLED       = tostring(var.maximum_bytes_billed)
    LOG_FORMAT                 = "json"
    OFFBOARDING_GRACE_DAYS     = tostring(var.offboarding_grace_days)
    ONBOARDING_MODE            = var.onboarding_mode
    ONBOARDINGS_PER_HOUR       = tostring(var.onboarding_rate.total)
    ONBOARDINGS_PER_SOURCE     = tostring(var.onboarding_rate.per_source)
    PUBLIC_URLS                = join(",", [for name, url in local.public_urls : "${name}=${url}"])
    RUN_EVENTS_TOPIC           = local.topics.run_events
    SCHEDULER_JOB              = "projects/${var.project_id}/locations/${var.region}/jobs/${local.dispatcher_job}"
    # What Google puts behind a client's X-Forwarded-For: Cloud Run the caller's address, the gateway that and its own.
    TRUSTED_PROXIES = local.gateway_enabled ? "2" : "1"
  }

  # What each function is told of itself.
  own_environment = {
    for name in keys(local.functions) : name => {
      PUBLIC_URL = lookup(local.public_urls, name, local.public_urls["pipelines"])
      # What the console alone asks for; {function} stands for the function that has a path.
      API_URL = local.gateway_enabled ? "https://${var.domain}" : "https://${var.region}-${var.project_id}.cloudfunctions.net/convergence-{function}"
    }
  }
}

resource "google_cloudfunctions2_function" "function" {
  for_each = local.functions

  name         = local.service_names[each.key]
  location     = var.region
  description  = "Convergence: ${each.key}"
  kms_key_name = var.kms_keys.regional

  build_config {
    runtime           = "python313"
    entry_point       = each.key
    docker_repository = google_artifact_registry_repository.images.id
    service_account   = google_service_account.account["build"].id

    source {
      storage_source {
        bucket = google_storage_bucket.sources.name
        object = google_storage_bucket_object.bundle[each.key].name
      }
    }
  }

  # No event_trigger, for run_level and run_request neither: a trigger's own subscription cannot be dead-lettered from
  # here. functions-framework takes the kind of function from its decorator, so a CloudEvent function serves pushes too.
  service_config {
    available_memory                 = each.value.memory
    available_cpu                    = each.value.cpu
    max_instance_request_concurrency = each.value.concurrency
    min_instance_count               = each.value.min_instances
    max_instance_count               = each.value.max_instances
    timeout_seconds                  = each.value.timeout_seconds
    ingress_settings                 = each.value.public ? (local.gateway_enabled ? "ALLOW_INTERNAL_AND_GCLB" : "ALLOW_ALL") : "ALLOW_INTERNAL_ONLY"
    all_traffic_on_latest_revision   = true
    service_account_email            = google_service_account.account[each.key].email
    # The framework's server works on four requests a core unless it is told otherwise, and would let the others wait.
    environment_variables = merge(local.environment, local.own_environment[each.key], { THREADS = tostring(each.value.concurrency) })

    dynamic "secret_environment_variables" {
      for_each = { for secret, use in local.secrets : secret => use.variable if contains(use.functions, each.key) }
      content {
        key        = secret_environment_variables.value
        project_id = var.project_id
        secret     = google_secret_manager_secret.secret[secret_environment_variables.key].secret_id
        version    = lookup(local.secret_versions, secret_environment_variables.key, "latest")
      }
    }
  }

  lifecycle {
    precondition {
      condition     = each.key != "run_level" || each.value.timeout_seconds >= var.level_seconds + 60
      error_message = "run_level needs a timeout of at least level_seconds + 60, to hand over what is still running."
    }
    precondition {
      condition     = each.value.public || each.value.timeout_seconds <= 600
      error_message = "${each.key} is called by Pub/Sub or Cloud Scheduler: its timeout is at most 600 seconds, the longest acknowledgement deadline."
    }
  }

  # What a first start needs and no argument above names: without it the first deployment fails, or fails at its first call.
  depends_on = [
    google_artifact_registry_repository_iam_member.build,
    google_kms_crypto_key_iam_member.agent,
    google_project_iam_member.grant,
    google_service_account_iam_member.executor_user,
    google_project_service.service,
    google_secret_manager_secret_iam_member.reader,
    terraform_data.build_access_settled,
  ]
}

resource "google_cloud_run_v2_service_iam_member" "public" {
  for_each = local.public_functions

  location = var.region
  name     = google_cloudfunctions2_function.function[each.key].name
  role     = "roles/run.invoker"
  member   = "allUsers"
}

resource "google_cloud_run_v2_service_iam_member" "push" {
  for_each = local.pushed

  location = var.region
  name     = google_cloudfunctions2_function.function[each.value.function].name
  role     = "roles/run.invoker"
  member   = google_service_account.account["push"].member
}

resource "google_cloud_run_v2_service_iam_member" "scheduler" {
  location = var.region
  name     = google_cloudfunctions2_function.function["dispatcher"].name
  role     = "roles/run.invoker"
  member   = google_service_account.account["scheduler"].member
}
