# The APIs that the platform uses. Everything that calls one of them waits for this file.

locals {
  services = concat(
    [
      "artifactregistry.googleapis.com",
      "bigquery.googleapis.com",
      "bigquerydatatransfer.googleapis.com",
      "cloudbuild.googleapis.com",
      "cloudfunctions.googleapis.com",
      "cloudresourcemanager.googleapis.com",
      "cloudscheduler.googleapis.com",
      "iam.googleapis.com",
      "iamcredentials.googleapis.com",
      "logging.googleapis.com",
      "monitoring.googleapis.com",
      "pubsub.googleapis.com",
      "run.googleapis.com",
      "secretmanager.googleapis.com",
      "storage.googleapis.com",
    ],
    local.gateway_enabled ? ["compute.googleapis.com"] : [],
    local.budget_enabled ? ["billingbudgets.googleapis.com"] : [],
    local.cmek_enabled ? ["cloudkms.googleapis.com"] : [],
  )
}

resource "google_project_service" "service" {
  for_each = toset(local.services)

  service = each.key

  # Other systems in the project may use the same APIs, and a disabled API takes its data with it.
  disable_on_destroy = false
}
