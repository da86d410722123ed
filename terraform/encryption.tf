# Customer-managed encryption keys, where asked for: each service's own agent may use the key, and nobody else.

locals {
  cmek_enabled          = var.kms_keys.regional != null || var.kms_keys.bigquery != null
  regional_cmek_enabled = var.kms_keys.regional != null
  bigquery_cmek_enabled = var.kms_keys.bigquery != null

  # Service agents by their documented names; Cloud Storage and BigQuery are asked for theirs below.
  key_users = {
    artifact_registry = "gcp-sa-artifactregistry"
    cloud_functions   = "gcf-admin-robot"
    cloud_run         = "serverless-robot-prod"
    pubsub            = "gcp-sa-pubsub"
    secret_manager    = "gcp-sa-secretmanager"
  }
}

data "google_storage_project_service_account" "agent" {
  count = local.regional_cmek_enabled ? 1 : 0

  depends_on = [google_project_service.service]
}

data "google_bigquery_default_service_account" "agent" {
  count = local.bigquery_cmek_enabled ? 1 : 0

  depends_on = [google_project_service.service]
}

# The bucket needs this grant before it exists, and the other agents need the bucket's project number: two resources.
resource "google_kms_crypto_key_iam_member" "storage" {
  count = local.regional_cmek_enabled ? 1 : 0

  crypto_key_id = var.kms_keys.regional
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = data.google_storage_project_service_account.agent[0].member
}

resource "google_kms_crypto_key_iam_member" "agent" {
  for_each = local.regional_cmek_enabled ? local.key_users : {}

  crypto_key_id = var.kms_keys.regional
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = "serviceAccount:service-${local.project_number}@${each.value}.iam.gserviceaccount.com"
}

resource "google_kms_crypto_key_iam_member" "bigquery" {
  count = local.bigquery_cmek_enabled ? 1 : 0

  crypto_key_id = var.kms_keys.bigquery
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = data.google_bigquery_default_service_account.agent[0].member
}
