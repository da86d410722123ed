# The central dataset: tables from the same JSON that bootstrap reads, so it does not matter which of the two comes first.

locals {
  schemas_path = "${local.source_root}/ps_templates/setup/initial/schemas"

  central_tables = {
    for file in fileset(local.schemas_path, "*.json") :
    trimsuffix(file, ".json") => jsondecode(file("${local.schemas_path}/${file}"))
  }

  # What to take over where bootstrap came first; see docs/deploy.md.
  imported_tables = toset([for table in keys(local.central_tables) : table if var.import_central_dataset])
}

import {
  for_each = var.import_central_dataset ? toset([var.central_dataset]) : toset([])
  to       = google_bigquery_dataset.central
  id       = "projects/${var.project_id}/datasets/${each.key}"
}

import {
  for_each = local.imported_tables
  to       = google_bigquery_table.central[each.key]
  id       = "projects/${var.project_id}/datasets/${var.central_dataset}/tables/${each.key}"
}

# Without an access block: tenants' authorized views are entries of the same list, and none of Terraform's business.
resource "google_bigquery_dataset" "central" {
  # checkov:skip=CKV_GCP_81:CMEK is optional: kms_keys.bigquery switches it on.
  dataset_id                 = var.central_dataset
  location                   = var.bigquery_location
  description                = "Convergence: tenants, keys, plans, configs, and the logs of all runs. Append-only."
  max_time_travel_hours      = 168
  delete_contents_on_destroy = false

  dynamic "default_encryption_configuration" {
    for_each = var.kms_keys.bigquery[*]
    content {
      kms_key_name = default_encryption_configuration.value
    }
  }

  depends_on = [google_project_service.service, google_kms_crypto_key_iam_member.bigquery]
}

resource "google_bigquery_table" "central" {
  # checkov:skip=CKV_GCP_80:CMEK is optional: the dataset's default key covers its tables.
  # checkov:skip=CKV_GCP_121:Deletion protection is on by default; deletion_protection = false is for projects that are thrown away.
  for_each = local.central_tables

  dataset_id          = google_bigquery_dataset.central.dataset_id
  table_id            = each.key
  description         = each.value.description
  schema              = jsonencode(each.value.schema)
  clustering          = each.value.cluster
  deletion_protection = var.deletion_protection

  dynamic "time_partitioning" {
    for_each = each.value.partition[*]
    content {
      field = time_partitioning.value.field
      type  = time_partitioning.value.type
    }
  }

  dynamic "encryption_configuration" {
    for_each = var.kms_keys.bigquery[*]
    content {
      kms_key_name = encryption_configuration.value
    }
  }
}
