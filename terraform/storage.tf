# Where function sources and the images built from them are kept, and for how long.

locals {
  # The bucket tells the project's number, so that no plan has to look it up: a plan needs no credentials that work.
  project_number = google_storage_bucket.sources.project_number
}

resource "google_storage_bucket" "sources" {
  # checkov:skip=CKV_GCP_62:Data access logs of Cloud Audit Logs record who reads the sources; a second log bucket adds nothing.
  name                        = "${var.project_id}-convergence-sources"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = true # Sources only: each can be made again from version control.

  versioning {
    enabled = true
  }

  # A replaced bundle stays for a month, for a look back; every deployed one is the live version of its object.
  lifecycle_rule {
    condition {
      days_since_noncurrent_time = 30
      with_state                 = "ARCHIVED"
    }
    action {
      type = "Delete"
    }
  }

  dynamic "encryption" {
    for_each = var.kms_keys.regional[*]
    content {
      default_kms_key_name = encryption.value
    }
  }

  depends_on = [google_project_service.service, google_kms_crypto_key_iam_member.storage]
}

resource "google_artifact_registry_repository" "images" {
  # checkov:skip=CKV_GCP_84:CMEK is optional: kms_keys.regional switches it on.
  repository_id = "convergence"
  location      = var.region
  format        = "DOCKER"
  description   = "Images that Cloud Build makes of the functions."
  kms_key_name  = var.kms_keys.regional

  cleanup_policies {
    id     = "keep-recent"
    action = "KEEP"
    most_recent_versions {
      keep_count = 5
    }
  }

  cleanup_policies {
    id     = "delete-old"
    action = "DELETE"
    condition {
      tag_state  = "ANY"
      older_than = "2592000s"
    }
  }

  depends_on = [google_project_service.service, google_kms_crypto_key_iam_member.agent]
}
