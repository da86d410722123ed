# Identities: one service account per function, one for each thing that acts on its own, and tenants' own accounts.

locals {
  accounts = merge(
    { for name, service in local.service_names : name => { id = service, purpose = "function ${name}" } },
    {
      executor  = { id = "convergence-executor", purpose = "runs tenants' SQL, and cannot see the central dataset" }
      push      = { id = "convergence-push", purpose = "Pub/Sub, at the functions that it pushes to" }
      scheduler = { id = "convergence-scheduler", purpose = "Cloud Scheduler, at the dispatcher" }
      build     = { id = "convergence-build", purpose = "builds the functions' images" }
      backup    = { id = "convergence-backup", purpose = "takes snapshots of the central tables" }
    },
  )

  # Accounts that run tenants' SQL: the shared one, and those of tenants with isolation = dedicated.
  executors = merge(
    { executor = google_service_account.account["executor"] },
    { for tenant, account in google_service_account.tenant : "tenant:${tenant}" => account },
  )
}

resource "google_service_account" "account" {
  for_each = local.accounts

  account_id   = each.value.id
  display_name = "Convergence: ${each.value.purpose}"
  depends_on   = [google_project_service.service]
}

resource "google_service_account" "tenant" {
  for_each = var.dedicated_tenants

  account_id   = each.value
  display_name = "Convergence: runs the SQL of tenant ${each.key}"
  depends_on   = [google_project_service.service]
}
