# Backup: a snapshot of every central table each day, kept for a while, in a dataset that no function can write to.

locals {
  snapshots_dataset = "${var.central_dataset}_snapshots"
  backup_config_id  = reverse(split("/", google_bigquery_data_transfer_config.snapshots.name))[0]

  # A statement for each table that Terraform knows: the backup's account, whose access is conditional, may not ask
  # INFORMATION_SCHEMA which there are.
  snapshot_statements = [
    for table in sort(keys(local.central_tables)) : templatefile("${path.module}/sql/snapshot_central_table.sql", {
      project        = var.project_id
      dataset        = google_bigquery_dataset.central.dataset_id
      table          = table
      snapshots      = google_bigquery_dataset.snapshots.dataset_id
      retention_days = var.backup_retention_days
    })
  ]
}

resource "google_bigquery_dataset" "snapshots" {
  # checkov:skip=CKV_GCP_81:CMEK is optional: kms_keys.bigquery switches it on.
  dataset_id                 = local.snapshots_dataset
  location                   = var.bigquery_location
  description                = "Convergence: daily snapshots of the central tables. docs/runbook.md says how to restore one."
  delete_contents_on_destroy = !var.deletion_protection

  dynamic "default_encryption_configuration" {
    for_each = var.kms_keys.bigquery[*]
    content {
      kms_key_name = default_encryption_configuration.value
    }
  }

  depends_on = [google_project_service.service, google_kms_crypto_key_iam_member.bigquery]
}

resource "google_bigquery_data_transfer_config" "snapshots" {
  display_name         = "Convergence: snapshots of the central tables"
  data_source_id       = "scheduled_query"
  location             = var.bigquery_location
  schedule             = var.backup_schedule
  service_account_name = google_service_account.account["backup"].email

  params = {
    query = join("\n", local.snapshot_statements)
  }

  depends_on = [google_bigquery_table.central, google_project_iam_member.grant]
}
