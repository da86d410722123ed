# Roles: what may be done, and to which datasets. Custom ones, because the smallest predefined ones do more.

locals {
  central_prefix = "projects/${var.project_id}/datasets/${var.central_dataset}"

  # Bootstrap keeps its copies, and Terraform the snapshots, in datasets named like the central one with a suffix; no
  # tenant may have a name that begins so. What can delete the tables must not be able to delete the snapshots.
  copies_prefix = "${local.central_prefix}_backup_"

  # A dataset as conditions mean it: itself and what is in it, and no other whose name begins like its own.
  in_dataset = {
    for dataset in concat([var.central_dataset, local.snapshots_dataset], keys(var.dedicated_tenants)) :
    dataset => format("resource.name == \"%[1]s\" || resource.name.startsWith(\"%[1]s/\")", "projects/${var.project_id}/datasets/${dataset}")
  }
  in_platform = "${local.in_dataset[var.central_dataset]} || resource.name.startsWith(\"${local.central_prefix}_\")"

  # Where a role holds. Conditions are on names, so they cover tenant datasets that do not exist yet, and they survive
  # a bootstrap that makes the central dataset anew (grants on the dataset itself would go with it).
  scopes = merge(
    {
      central = {
        title      = "The central dataset"
        expression = local.in_dataset[var.central_dataset]
      }
      central_and_copies = {
        title      = "The central dataset and its copies"
        expression = "${local.in_dataset[var.central_dataset]} || resource.name.startsWith(\"${local.copies_prefix}\")"
      }
      snapshots = {
        title      = "The snapshots"
        expression = local.in_dataset[local.snapshots_dataset]
      }
      central_but_credentials = {
        title = "The central dataset without credentials"
        expression = format("(%s) && resource.name != \"%s/tables/tenant_cloud_credentials\"",
          local.in_dataset[var.central_dataset], local.central_prefix,
        )
      }
      tenants = {
        title      = "Every tenant's dataset"
        expression = "!(${local.in_platform})"
      }
      shared_tenants = {
        title = "Every dataset of a tenant without an account of its own"
        expression = format("!(%s)", join(" || ", concat(
          [local.in_platform], [for tenant in sort(keys(var.dedicated_tenants)) : local.in_dataset[tenant]],
        )))
      }
    },
    {
      for tenant in keys(var.dedicated_tenants) : "tenant:${tenant}" => {
        title      = "The dataset of ${tenant}"
        expression = local.in_dataset[tenant]
      }
    },
    {
      # The tables by their whole names: nothing else of the central dataset can be written under such a grant.
      for function in keys(local.functions) : "written:${function}" => {
        title = "The tables that ${replace(function, "_", "-")} writes"
        expression = join(" || ", [
          for table in sort(keys(local.table_writers)) : "resource.name == \"${local.central_prefix}/tables/${table}\"" if contains(local.table_writers[table], function)
        ])
      }
    },
  )

  permissions = {
    read_tables  = ["bigquery.datasets.get", "bigquery.tables.get", "bigquery.tables.getData", "bigquery.tables.list"]
    write_tables = ["bigquery.tables.create", "bigquery.tables.delete", "bigquery.tables.update", "bigquery.tables.updateData"]
    # With datasets.delete: a dataset goes with all that is in it, whatever that is.
    empty = [
      "bigquery.models.delete", "bigquery.models.list", "bigquery.routines.delete", "bigquery.routines.list",
      "bigquery.tables.delete", "bigquery.tables.deleteSnapshot", "bigquery.tables.list",
    ]
    share = ["bigquery.datasets.getIamPolicy", "bigquery.datasets.setIamPolicy", "bigquery.datasets.update"]
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
    ReadState = {
      title       = "read central state"
      permissions = local.permissions.read_tables
    }
    # BigQuery has no right to append alone: who may append to a table may change its rows. So it is granted by table.
    AppendRows = {
      title       = "append rows to tables"
      permissions = ["bigquery.tables.get", "bigquery.tables.updateData"]
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
      permissions = distinct(concat(
        ["bigquery.datasets.delete"], local.permissions.empty,
        local.permissions.read_tables, local.permissions.write_tables, local.permissions.share,
      ))
    }
    OwnTenants = {
      title = "keep tenants' datasets"
      permissions = distinct(concat(
        ["bigquery.datasets.delete"], local.permissions.empty,
        local.permissions.read_tables, local.permissions.write_tables, local.permissions.share,
      ))
    }
    RemoveTenants = {
      title       = "delete datasets of offboarded tenants"
      permissions = concat(["bigquery.datasets.delete", "bigquery.datasets.get"], local.permissions.empty)
    }
    # A snapshot that expires takes deleteSnapshot where it is made: its end is a deletion. Files are written by export.
    WriteTenants = {
      title = "run tenants' SQL"
      permissions = concat(
        local.permissions.read_tables, local.permissions.write_tables,
        ["bigquery.tables.createSnapshot", "bigquery.tables.deleteSnapshot", "bigquery.tables.export"],
      )
    }
    ShareTenants = {
      title       = "let accounts of tenants' own credentials into tenants' datasets"
      permissions = concat(["bigquery.datasets.get"], local.permissions.share)
    }
    # Granted by no resource here: onboarding puts it into a dataset's access list for the account of a tenant's credential.
    # Without tables.create, update and delete that account, whose key the tenant holds, cannot touch the authorized view.
    FillTables = {
      title       = "read and fill the tables of a tenant's dataset"
      permissions = ["bigquery.tables.export", "bigquery.tables.get", "bigquery.tables.getData", "bigquery.tables.list", "bigquery.tables.updateData"]
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
