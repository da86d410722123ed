# Grants: who holds which role, and where. docs/permissions.md says why; a test compares the two.

locals {
  # account => role => scope (a key of local.scopes, or null for the whole project).
  # Each function claims by job IDs and appends rows to central tables; what else it may do is its own business.
  platform_roles = {
    onboarding  = { ClaimJobs = null, AppendState = "central", CreateDatasets = null, ShareTenants = "tenants", AuthorizeViews = "central" }
    admin       = { ClaimJobs = null, AppendState = "central", CreateDatasets = null, OwnCentral = "central_and_copies", OwnTenants = "tenants", OperateSchedule = null }
    pipelines   = { ClaimJobs = null, AppendState = "central" }
    run_request = { ClaimJobs = null, AppendState = "central" }
    run_level   = { ClaimJobs = null, AppendState = "central" }
    dispatcher  = { ClaimJobs = null, AppendState = "central", RemoveTenants = "tenants" }
    executor    = { RunJobs = null, WriteTenants = "shared_tenants" }
    backup      = { RunJobs = null, Snapshot = "central", KeepSnapshots = "snapshots" }
  }

  project_roles = merge(local.platform_roles, {
    for tenant in keys(var.dedicated_tenants) : "tenant:${tenant}" => { RunJobs = null, WriteTenants = "tenant:${tenant}" }
  })

  members = merge(
    { for name, account in google_service_account.account : name => account.member },
    { for tenant, account in google_service_account.tenant : "tenant:${tenant}" => account.member },
  )

  project_grants = merge([
    for account, roles in local.project_roles : {
      for role, scope in roles : "${account}/${role}" => { account = account, role = role, scope = scope }
    }
  ]...)

  # Functions that run or cancel tenants' SQL, and therefore act as the accounts that it runs under.
  executor_users = ["dispatcher", "pipelines", "run_level"]

  executor_grants = {
    for pair in setproduct(keys(local.executors), local.executor_users) :
    "${pair[0]}/${pair[1]}" => { executor = pair[0], account = pair[1] }
  }
}

resource "google_project_iam_member" "grant" {
  for_each = local.project_grants

  project = var.project_id
  role    = google_project_iam_custom_role.role[each.value.role].id
  member  = local.members[each.value.account]

  dynamic "condition" {
    for_each = each.value.scope[*]
    content {
      title      = local.scopes[condition.value].title
      expression = local.scopes[condition.value].expression
    }
  }
}

resource "google_service_account_iam_member" "executor_user" {
  for_each = local.executor_grants

  service_account_id = local.executors[each.value.executor].id
  role               = google_project_iam_custom_role.role["ActAsExecutor"].id
  member             = google_service_account.account[each.value.account].member
}
