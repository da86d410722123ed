# Log-based metrics: what the functions' structured logs say, as time series. The messages are constants in the code.

locals {
  # Every line of a function; labels (tenant, run, level, step) are the entry's labels, all else is in its payload.
  function_logs = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=~\"^convergence-\""

  # count: one per line. value: the distribution of a field of the line.
  log_metrics = {
    runs = {
      message = "run finished"
      labels  = { tenant = "labels.tenant", state = "jsonPayload.state" }
    }
    quota_rejections = {
      message = "quota refused"
      labels  = { tenant = "labels.tenant", limit = "jsonPayload.limit" }
    }
    resumed_runs = {
      message = "quiet run continued"
      labels  = { tenant = "labels.tenant" }
    }
    level_ms = {
      message = "level finished"
      labels  = { tenant = "labels.tenant" }
      value   = "jsonPayload.duration_ms"
      unit    = "ms"
    }
    bytes_billed = {
      message = "step finished"
      labels  = { tenant = "labels.tenant" }
      value   = "jsonPayload.bytes_billed"
      unit    = "By"
    }
  }

  # The same metrics' names in PromQL.
  promql_names = {
    for name in keys(local.log_metrics) : name => "logging_googleapis_com:user_convergence_${name}"
  }
}

resource "google_logging_metric" "events" {
  for_each = local.log_metrics

  name   = "convergence/${each.key}"
  filter = "${local.function_logs} AND jsonPayload.message=\"${each.value.message}\""

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
        # Doubling from 64 up: 2 minutes in ms lie in the 12th bucket, a terabyte in the 35th.
        num_finite_buckets = 40
        growth_factor      = 2
        scale              = 64
      }
    }
  }

  depends_on = [google_project_service.service]
}

# Failed backups are the transfer service's own lines.
resource "google_logging_metric" "backup_failures" {
  name   = "convergence/backup_failures"
  filter = "resource.type=\"bigquery_dts_config\" AND severity>=ERROR AND resource.labels.config_id=\"${local.backup_config_id}\""

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    unit        = "1"
  }
}
