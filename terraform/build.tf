# What Cloud Build may do while it makes the functions' images.

resource "google_project_iam_member" "build" {
  # The three roles that Google's guide to custom build accounts asks for; writing images is granted on the repository below.
  # Cloud Functions copies sources to a bucket of its own, whose name is not ours to know: hence the whole project.
  for_each = toset(["roles/logging.logWriter", "roles/storage.objectViewer"])

  project = var.project_id
  role    = each.key
  member  = google_service_account.account["build"].member
}

resource "google_artifact_registry_repository_iam_member" "build" {
  location   = var.region
  repository = google_artifact_registry_repository.images.name
  role       = "roles/artifactregistry.writer"
  member     = google_service_account.account["build"].member
}

# IAM changes take a while to arrive everywhere, and a build that starts too early fails for good: wait once.
resource "terraform_data" "build_access_settled" {
  count = var.iam_settle_seconds > 0 ? 1 : 0

  triggers_replace = google_service_account.account["build"].unique_id

  provisioner "local-exec" {
    command = "sleep ${var.iam_settle_seconds}"
  }

  depends_on = [google_project_iam_member.build, google_artifact_registry_repository_iam_member.build]
}
