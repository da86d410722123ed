# Log-based metrics: what logs say, as time series. The functions' messages are constants in the code; a test finds each.

locals {
  # Every line of a function; labels (tenant, run, level, step) are the entry's labels, all else is in its payload.
  function_logs = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=~\"^convergence-\""

  # What BigQuery itself writes down of each finished job: the bytes that were billed, and the job's labels.
  finished_jobs = join(" AND ", [
    "resource.type=\"bigquery_project\"",
    "logName=\"projects/${var.project_id}/logs/cloudaudit.googleapis.com%2Fdata_access\"",
    "protoPayload.metadata.jobChange.after=\"DONE\"",
  ])

  # A metric counts entries, or is the distribution of a value of theirs.
  log_metrics = {
    runs = {
      filter = "${local.function_logs} AND jsonPayload.message=\"run ended\""
      labels = { tenant = "labels.tenant", status = "jsonPayload.status" }
    }
    quota_rejections = {
      filter = "${local.function_logs} AND jsonPayload.message=\"request answered\" AND jsonPayload.status=429"
      labels = { tenant = "labels.tenant", route = "jsonPayload.route" }
    }
    resumed_runs = {
      filter = "${local.function_logs} AND jsonPayload.message=\"quiet run continued\""
      labels = { tenant = "labels.tenant" }
    }
    bytes_billed = {
      filter = "${local.finished_jobs} AND protoPayload.metadata.jobChange.job.jobConfig.labels.tenant:*"
      labels = { tenant = "protoPayload.metadata.jobChange.job.jobConfig.labels.tenant" }
      value  = "protoPayload.metadata.jobChange.job.jobStats.queryStats.totalBilledBytes"
      unit   = "By"
    }
    backup_failures = {
      filter = "resource.type=\"bigquery_dts_config\" AND severity>=ERROR AND resource.labels.config_id=\"${local.backup_config_id}\""
      labels = {}
    }
  }

  # The same metrics' names in PromQL.
  promql_names = {
    for name in keys(local.log_metrics) : name => "logging_googleapis_com:user_convergence_${name}"
  }
}

resource "google_logging_metric" "metric" {
  for_each = local.log_metrics

  name   = "convergence/${each.key}"
  filter = each.value.filter

  label_extractors = { for label, field in each.value.labels : label => "EXTRACT(${field})" }
  value_extractor  = try("EXTRACT(${each.value.value})", null)

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = can(each.value.value) ? "DISTRIBUTION" : "INT64"
    unit        = try(each.value.unit, "1")

    dynamic "labels" {
      for_each = each.value.labels
      content {
        key        = labels.key
        value_type = "STRING"
      }
    }
  }

  dynamic "bucket_options" {
    for_each = can(each.value.value) ? [true] : []
    content {
      exponential_buckets {
        # Doubling from a mebibyte up: a tebibyte lies in the 21st bucket.
        num_finite_buckets = 40
        growth_factor      = 2
        scale              = 1048576
      }
    }
  }

  depends_on = [google_project_service.service]
}
