output "project" {
  description = "The project."
  value       = var.project_id
}

output "region" {
  description = "The region of functions, topics and scheduler."
  value       = var.region
}

output "public_url" {
  description = "Where the platform is: the gateway where there is one, otherwise the URL of the pipelines function."
  value       = local.public_urls["pipelines"]
}

output "urls" {
  description = "Base URLs of the contract's paths: put /admin/..., /api/v1/tenants/... and /api/v1/pipelines/... after them."
  value       = local.public_urls
}

output "function_uris" {
  description = "The functions' own addresses, as Pub/Sub and Cloud Scheduler call them."
  value       = { for name, function in google_cloudfunctions2_function.function : name => function.service_config[0].uri }
}

output "bundles" {
  description = "The hash of each function's source bundle; `make bundle` prints the same."
  value       = local.bundle_hashes
}

output "topics" {
  description = "Full names of the topics."
  value       = { for key, topic in google_pubsub_topic.topic : key => topic.id }
}

output "dead_letter_subscription" {
  description = "Where the operator reads messages that nobody could handle."
  value       = google_pubsub_subscription.dead_letters["operator"].id
}

output "dispatcher_job" {
  description = "The Cloud Scheduler job that calls the dispatcher each minute."
  value       = google_cloud_scheduler_job.dispatcher.id
}

output "datasets" {
  description = "The central dataset and that of its snapshots."
  value = {
    central   = google_bigquery_dataset.central.id
    snapshots = google_bigquery_dataset.snapshots.id
  }
}

output "accounts" {
  description = "Service accounts, by what they are for."
  value       = merge({ for name, account in google_service_account.account : name => account.email }, { for tenant, account in google_service_account.tenant : "tenant:${tenant}" => account.email })
}

output "secrets" {
  description = "Secrets in Secret Manager; where secret_values_from is operator, each needs a version before functions start."
  value       = { for name, secret in google_secret_manager_secret.secret : name => secret.id }
}

output "dashboard_url" {
  description = "The dashboard."
  value       = "https://console.cloud.google.com/monitoring/dashboards/builder/${reverse(split("/", google_monitoring_dashboard.platform.id))[0]}?project=${var.project_id}"
}

output "gateway_address" {
  description = "The address that the domain's A record must point to; null without a domain."
  value       = one([for address in google_compute_global_address.gateway : address.address])
}

output "next_commands" {
  description = "What to do next, ready to paste."
  value = join("\n", concat(
    local.gateway_enabled ? ["# Point ${var.domain} (A record) at the gateway_address; its certificate follows within the hour."] : [],
    [
      "export ADMIN_API_KEY=...   # the key that you deployed with",
      "curl -X POST \"${local.public_urls["admin"]}/admin/bootstrap\" -H \"X-Admin-Key: $ADMIN_API_KEY\" -H \"Content-Type: application/json\" -d '{}'",
      "make smoke URL=\"${local.gateway_enabled ? local.public_urls["admin"] : "https://${var.region}-${var.project_id}.cloudfunctions.net/convergence-{function}"}\" ADMIN_API_KEY=\"$ADMIN_API_KEY\"",
    ],
  ))
}
