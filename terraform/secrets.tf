# Secrets: who may read which, and where their values come from. No value is ever in the state.

locals {
  # secret => the functions that read it, and the variable that they read it from
  secret_uses = {
    admin-api-key       = { variable = "ADMIN_API_KEY", functions = ["admin"] }
    console-keys        = { variable = "CONSOLE_KEYS", functions = ["console"] }
    credentials-keyring = { variable = "CREDENTIALS_KEYRING", functions = ["notify", "run_level"] }
    levels-keys         = { variable = "LEVELS_KEYS", functions = ["dispatcher", "pipelines", "run_level", "run_request"] }
    onboarding-token    = { variable = "ONBOARDING_TOKEN", functions = ["onboarding"] }
  }

  # A token is a secret only where onboarding asks for one, a key ring only where tenants give secrets of theirs, and so on.
  unused_secrets = concat(var.onboarding_mode == "token" ? [] : ["onboarding-token"], var.credentials_enabled ? [] : ["credentials-keyring"], var.levels_signed ? [] : ["levels-keys"], var.console_enabled ? [] : ["console-keys"])
  secrets        = { for name, use in local.secret_uses : name => use if !contains(local.unused_secrets, name) }

  secret_readers = merge([
    for secret, use in local.secrets : {
      for function in use.functions : "${secret}:${function}" => { secret = secret, function = function } if contains(keys(local.functions), function)
    }
  ]...)

  # Terraform writes versions where it is given values; otherwise the operator adds them and functions read the latest.
  secret_versions = var.secret_values_from == "terraform" ? {
    admin-api-key       = google_secret_manager_secret_version.admin_api_key[0].version
    console-keys        = one(google_secret_manager_secret_version.console_keys[*].version)
    credentials-keyring = one(google_secret_manager_secret_version.credentials_keyring[*].version)
    levels-keys         = one(google_secret_manager_secret_version.levels_keys[*].version)
    onboarding-token    = one(google_secret_manager_secret_version.onboarding_token[*].version)
  } : {}
}

resource "google_secret_manager_secret" "secret" {
  for_each = local.secrets

  secret_id = each.key

  replication {
    dynamic "auto" {
      for_each = local.regional_cmek_enabled ? [] : [true]
      content {}
    }
    dynamic "user_managed" {
      for_each = var.kms_keys.regional[*]
      content {
        replicas {
          location = var.region
          customer_managed_encryption {
            kms_key_name = user_managed.value
          }
        }
      }
    }
  }

  depends_on = [google_project_service.service, google_kms_crypto_key_iam_member.agent]
}

resource "google_secret_manager_secret_version" "admin_api_key" {
  count = var.secret_values_from == "terraform" ? 1 : 0

  secret                 = google_secret_manager_secret.secret["admin-api-key"].id
  secret_data_wo         = var.admin_api_key
  secret_data_wo_version = var.admin_api_key_version
  deletion_policy        = "ABANDON" # Instances that still run keep the old key until they are replaced.
}

resource "google_secret_manager_secret_version" "onboarding_token" {
  count = var.secret_values_from == "terraform" && var.onboarding_mode == "token" ? 1 : 0

  secret                 = google_secret_manager_secret.secret["onboarding-token"].id
  secret_data_wo         = var.onboarding_token
  secret_data_wo_version = var.onboarding_token_version
  deletion_policy        = "ABANDON"
}

resource "google_secret_manager_secret_version" "levels_keys" {
  count = var.secret_values_from == "terraform" && var.levels_signed ? 1 : 0

  secret                 = google_secret_manager_secret.secret["levels-keys"].id
  secret_data_wo         = var.levels_keys
  secret_data_wo_version = var.levels_keys_version
  deletion_policy        = "ABANDON"
}

resource "google_secret_manager_secret_version" "console_keys" {
  count = var.secret_values_from == "terraform" && var.console_enabled ? 1 : 0

  secret                 = google_secret_manager_secret.secret["console-keys"].id
  secret_data_wo         = var.console_keys
  secret_data_wo_version = var.console_keys_version
  deletion_policy        = "ABANDON"
}

resource "google_secret_manager_secret_version" "credentials_keyring" {
  count = var.secret_values_from == "terraform" && var.credentials_enabled ? 1 : 0

  secret                 = google_secret_manager_secret.secret["credentials-keyring"].id
  secret_data_wo         = var.credentials_keyring
  secret_data_wo_version = var.credentials_keyring_version
  deletion_policy        = "ABANDON"
}

resource "google_secret_manager_secret_iam_member" "reader" {
  for_each = local.secret_readers

  secret_id = google_secret_manager_secret.secret[each.value.secret].id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.account[each.value.function].member
}
