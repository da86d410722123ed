# Grants: who holds which role, and where. docs/permissions.md says why; a test compares the two.

locals {
  # Central table => the functions that append rows to it; no other can change it. docs/adr/0019 weighs what remains.
  table_writers = {
    platform_audit_log              = ["admin", "dispatcher", "onboarding", "pipelines"]
    tenant_api_keys                 = ["admin", "onboarding"]
    tenant_cloud_credentials        = ["onboarding"]
    tenant_dq_results               = ["run_level"]
    tenant_pipeline_configs         = ["pipelines"]
    tenant_pipeline_execution_queue = ["dispatcher", "pipelines", "run_level", "run_request"]
    tenant_pipeline_runs            = ["dispatcher", "pipelines", "run_level", "run_request"]
    tenant_profiles                 = ["admin", "onboarding"]
    tenant_scheduled_pipeline_runs  = ["dispatcher", "pipelines", "run_level", "run_request"]
    tenant_step_logs                = ["dispatcher", "run_level"]
    tenant_subscriptions            = ["admin", "onboarding"]
    tenant_usage_quotas             = ["admin", "dispatcher", "onboarding"]
  }

  # account => role => scope (a key of local.scopes, or null for the whole project).
  # Each function claims by job IDs, reads central tables and appends rows to its own ones; what else it may do is its
  # own business. Credentials are read where they are kept, where their accounts are let in, and where they are opened.
  platform_roles = {
    onboarding  = { ClaimJobs = null, ReadState = "central", AppendRows = "written:onboarding", CreateDatasets = null, ShareTenants = "tenants", AuthorizeViews = "central" }
    admin       = { ClaimJobs = null, ReadState = "central", AppendRows = "written:admin", CreateDatasets = null, OwnCentral = "central_and_copies", OwnTenants = "tenants", OperateSchedule = null }
    pipelines   = { ClaimJobs = null, ReadState = "central_but_credentials", AppendRows = "written:pipelines" }
    run_request = { ClaimJobs = null, ReadState = "central_but_credentials", AppendRows = "written:run_request" }
    notify      = { ClaimJobs = null, ReadState = "central" }
    run_level   = { ClaimJobs = null, ReadState = "central", AppendRows = "written:run_level" }
    console     = {} # It reaches the API alone.
    dispatcher  = { ClaimJobs = null, ReadState = "central_but_credentials", AppendRows = "written:dispatcher", RemoveTenants = "tenants" }
    executor    = { RunJobs = null, WriteTenants = "shared_tenants" }
    backup      = { RunJobs = null, Snapshot = "central", KeepSnapshots = "snapshots" }
  }

  project_roles = merge({ for account, roles in local.platform_roles : account => roles if contains(keys(local.accounts), account) }, {
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

  # Functions that run, end or estimate tenants' SQL, and therefore act as the accounts that it runs under. What is
  # public acts as the shared one alone: a dedicated tenant's runs are cancelled by their levels, and not estimated.
  executor_users  = ["dispatcher", "pipelines", "run_level"]
  dedicated_users = ["dispatcher", "run_level"]

  executor_grants = merge([
    for executor in keys(local.executors) : {
      for account in(executor == "executor" ? local.executor_users : local.dedicated_users) :
      "${executor}/${account}" => { executor = executor, account = account }
    }
  ]...)
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

# Buckets whose files tenants' steps load and write: by the shared account, or by those of the dedicated tenants named.
locals {
  bucket_grants = merge([
    for bucket, access in var.file_buckets : {
      for executor in(access.tenants == null ? ["executor"] : [for tenant in access.tenants : "tenant:${tenant}"]) :
      "${bucket}/${executor}" => { bucket = bucket, executor = executor, role = access.writes ? "roles/storage.objectUser" : "roles/storage.objectViewer" }
    }
  ]...)
}

resource "google_storage_bucket_iam_member" "files" {
  for_each = local.bucket_grants

  bucket = each.value.bucket
  role   = each.value.role
  member = local.executors[each.value.executor].member
}
