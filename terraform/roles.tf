# Roles: what may be done, and to which datasets. Custom ones, because the smallest predefined ones do more.

locals {
  central_prefix = "projects/${var.project_id}/datasets/${var.central_dataset}"

  # Bootstrap keeps its copies in datasets whose names begin like the central one's; no tenant may have such a name.
  # Snapshots begin so too, but they are the backup: what can delete the tables must not be able to delete those.
  snapshots_prefix = "projects/${var.project_id}/datasets/${local.snapshots_dataset}"

  # Tenants with an account of their own: the shared executor is kept out of their datasets.
  dedicated_names = [for tenant in sort(keys(var.dedicated_tenants)) : "projects/${var.project_id}/datasets/${tenant}"]

  # Where a role holds. Conditions are on names, so they cover tenant datasets that do not exist yet, and they survive
  # a bootstrap that makes the central dataset anew (grants on the dataset itself would go with it).
  scopes = merge(
    {
      central = {
        title      = "The central dataset"
        expression = "resource.name == \"${local.central_prefix}\" || resource.name.startsWith(\"${local.central_prefix}/\")"
      }
      central_and_copies = {
        title      = "The central dataset and its copies"
        expression = "resource.name.startsWith(\"${local.central_prefix}\") && !resource.name.startsWith(\"${local.snapshots_prefix}\")"
      }
      snapshots = {
        title      = "The snapshots"
        expression = "resource.name.startsWith(\"${local.snapshots_prefix}\")"
      }
      tenants = {
        title      = "Every tenant's dataset"
        expression = "!resource.name.startsWith(\"${local.central_prefix}\")"
      }
      shared_tenants = {
        title = "Every dataset of a tenant without an account of its own"
        expression = format("!(%s)", join(" || ", concat(
          ["resource.name.startsWith(\"${local.central_prefix}\")"],
          [for name in local.dedicated_names : "resource.name == \"${name}\" || resource.name.startsWith(\"${name}/\")"],
        )))
      }
    },
    {
      for tenant in keys(var.dedicated_tenants) : "tenant:${tenant}" => {
        title      = "The dataset of ${tenant}"
        expression = "resource.name == \"projects/${var.project_id}/datasets/${tenant}\" || resource.name.startsWith(\"projects/${var.project_id}/datasets/${tenant}/\")"
      }
    },
  )

  permissions = {
    read_tables  = ["bigquery.datasets.get", "bigquery.tables.get", "bigquery.tables.getData", "bigquery.tables.list"]
    write_tables = ["bigquery.tables.create", "bigquery.tables.delete", "bigquery.tables.update", "bigquery.tables.updateData"]
    share        = ["bigquery.datasets.getIamPolicy", "bigquery.datasets.setIamPolicy", "bigquery.datasets.update"]
  }

  roles = {
    ClaimJobs = {
      title       = "make and read claim jobs"
      permissions = ["bigquery.jobs.create", "bigquery.jobs.get"]
    }
    RunJobs = {
      title       = "run jobs, and see none but its own"
      permissions = ["bigquery.jobs.create"]
    }
    CreateDatasets = {
      title       = "create datasets"
      permissions = ["bigquery.datasets.create"]
    }
    AppendState = {
      title       = "read and append central state"
      permissions = concat(local.permissions.read_tables, ["bigquery.tables.updateData"])
    }
    SeeTopic = {
      title       = "see whether a topic exists"
      permissions = ["pubsub.topics.get"]
    }
    AuthorizeViews = {
      title       = "authorize tenants' views"
      permissions = concat(["bigquery.datasets.get"], local.permissions.share)
    }
    OwnCentral = {
      title = "bootstrap the central dataset"
      permissions = concat(
        ["bigquery.datasets.delete"], local.permissions.read_tables, local.permissions.write_tables, local.permissions.share,
      )
    }
    OwnTenants = {
      title = "keep tenants' datasets"
      permissions = concat(
        ["bigquery.datasets.delete"], local.permissions.read_tables, local.permissions.write_tables, local.permissions.share,
      )
    }
    RemoveTenants = {
      title       = "delete datasets of offboarded tenants"
      permissions = ["bigquery.datasets.delete", "bigquery.datasets.get", "bigquery.tables.delete", "bigquery.tables.list"]
    }
    WriteTenants = {
      title       = "run tenants' SQL"
      permissions = concat(local.permissions.read_tables, local.permissions.write_tables)
    }
    ShareTenants = {
      title       = "let accounts of tenants' own credentials into tenants' datasets"
      permissions = concat(["bigquery.datasets.get"], local.permissions.share)
    }
    # Granted by no resource here: onboarding puts it into a dataset's access list for the account of a tenant's credential.
    # Without tables.create, update and delete that account, whose key the tenant holds, cannot touch the authorized view.
    FillTables = {
      title       = "read and fill the tables of a tenant's dataset"
      permissions = ["bigquery.tables.get", "bigquery.tables.getData", "bigquery.tables.list", "bigquery.tables.updateData"]
    }
    Snapshot = {
      title       = "take snapshots of central tables"
      permissions = concat(local.permissions.read_tables, ["bigquery.tables.createSnapshot", "bigquery.tables.deleteSnapshot"])
    }
    KeepSnapshots = {
      title = "keep snapshots of central tables"
      permissions = [
        "bigquery.datasets.get", "bigquery.tables.create", "bigquery.tables.deleteSnapshot", "bigquery.tables.get", "bigquery.tables.updateData",
      ]
    }
    ActAsExecutor = {
      title       = "act as an account that runs tenants' SQL"
      permissions = ["iam.serviceAccounts.getAccessToken"]
    }
    OperateSchedule = {
      title = "pause, resume and run the dispatcher"
      permissions = [
        "cloudscheduler.jobs.enable", "cloudscheduler.jobs.get", "cloudscheduler.jobs.pause", "cloudscheduler.jobs.run",
      ]
    }
  }
}

resource "google_project_iam_custom_role" "role" {
  for_each = local.roles

  role_id     = "convergence${each.key}"
  title       = "Convergence: ${each.value.title}"
  permissions = each.value.permissions
  depends_on  = [google_project_service.service]
}
