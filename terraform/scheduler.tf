# The dispatcher's minute.

locals {
  dispatcher_job = "convergence-dispatcher"
}

resource "google_cloud_scheduler_job" "dispatcher" {
  name             = local.dispatcher_job
  region           = var.region
  description      = "Starts due pipelines, fills freed slots and continues runs that have gone quiet."
  schedule         = "* * * * *"
  time_zone        = "Etc/UTC"
  attempt_deadline = "${local.functions.dispatcher.timeout_seconds}s"
  paused           = var.scheduler_paused

  retry_config {
    # The next minute does all that this one left: one quick retry is enough.
    retry_count          = 1
    min_backoff_duration = "5s"
    max_backoff_duration = "10s"
  }

  http_target {
    http_method = "POST"
    uri         = "${google_cloudfunctions2_function.function["dispatcher"].service_config[0].uri}/"

    oidc_token {
      service_account_email = google_service_account.account["scheduler"].email
      audience              = google_cloudfunctions2_function.function["dispatcher"].service_config[0].uri
    }
  }

  depends_on = [google_cloud_run_v2_service_iam_member.scheduler]
}
