# The APIs that the platform uses. Everything that calls one of them waits for this file.

locals {
  services = concat(
    [
      "artifactregistry.googleapis.com",
      "bigquery.googleapis.com",
      "bigquerydatatransfer.googleapis.com",
      "cloudbuild.googleapis.com",
      "cloudfunctions.googleapis.com",
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

# By this one the provider reads what it has enabled: a new project does not have it, and nothing can be read before it.
resource "google_project_service" "resource_manager" {
  service            = "cloudresourcemanager.googleapis.com"
  disable_on_destroy = false
}

resource "google_project_service" "service" {
  for_each = toset(local.services)

  service = each.key

  # Other systems in the project may use the same APIs, and a disabled API takes its data with it.
  disable_on_destroy = false

  depends_on = [google_project_service.resource_manager]
}
