# Alert policies: a table of PromQL, one policy each. docs/runbook.md has a section for every key.

locals {
  notification_channels = concat(
    [for channel in google_monitoring_notification_channel.email : channel.id],
    var.notification_channels,
  )

  run_services = "monitored_resource=\"cloud_run_revision\", service_name=~\"convergence-.*\""
  run_logs     = "monitored_resource=\"cloud_run_revision\""

  alerts = {
    run-failure-rate = {
      title    = "Too many runs fail"
      severity = "ERROR"
      duration = "0s"
      query    = <<-EOT
        sum(increase(${local.promql_names.runs}{${local.run_logs}, status="FAILED"}[1h]))
          / sum(increase(${local.promql_names.runs}{${local.run_logs}}[1h])) > ${var.alert_thresholds.run_failure_ratio}
        and sum(increase(${local.promql_names.runs}{${local.run_logs}, status="FAILED"}[1h])) >= ${var.alert_thresholds.failed_runs}
      EOT
    }
    stuck-runs = {
      title    = "Runs are stuck"
      severity = "ERROR"
      duration = "300s"
      query    = <<-EOT
        max(pubsub_googleapis_com:subscription_oldest_unacked_message_age{monitored_resource="pubsub_subscription", subscription_id=~"${join("|", [for topic in keys(local.pushed) : "${local.topics[topic]}-push"])}"}) > ${var.alert_thresholds.stuck_seconds}
        or sum(increase(${local.promql_names.resumed_runs}{${local.run_logs}}[15m])) > ${var.alert_thresholds.resumed_runs}
      EOT
    }
    dead-letters = {
      title    = "Messages could not be handled"
      severity = "ERROR"
      duration = "0s"
      query    = <<-EOT
        max(pubsub_googleapis_com:subscription_num_undelivered_messages{monitored_resource="pubsub_subscription", subscription_id="${local.dead_letter_subscriptions.operator}"}) > 0
      EOT
    }
    scheduler-silent = {
      title    = "The dispatcher is not called"
      severity = "CRITICAL"
      duration = "300s"
      query    = <<-EOT
        absent(sum(increase(run_googleapis_com:request_count{monitored_resource="cloud_run_revision", service_name="${local.service_names.dispatcher}", response_code_class="2xx"}[10m])) > 0)
      EOT
    }
    function-errors = {
      title    = "A function answers with errors"
      severity = "ERROR"
      duration = "300s"
      query    = <<-EOT
        sum by (service_name) (increase(run_googleapis_com:request_count{${local.run_services}, response_code_class="5xx"}[10m])) > ${var.alert_thresholds.server_errors}
      EOT
    }
    error-logs = {
      title    = "Functions log errors"
      severity = "WARNING"
      duration = "0s"
      query    = <<-EOT
        sum by (service_name) (increase(logging_googleapis_com:log_entry_count{${local.run_services}, severity=~"ERROR|CRITICAL|ALERT|EMERGENCY"}[10m])) > ${var.alert_thresholds.error_logs}
      EOT
    }
    backup-failed = {
      title    = "The backup failed"
      severity = "ERROR"
      duration = "0s"
      query    = <<-EOT
        sum(increase(${local.promql_names.backup_failures}{monitored_resource="bigquery_dts_config"}[1h])) > 0
      EOT
    }
  }
}

resource "google_monitoring_notification_channel" "email" {
  for_each = var.alert_emails

  display_name = "Convergence: ${each.key}"
  type         = "email"
  labels       = { email_address = each.key }

  depends_on = [google_project_service.service]
}

resource "google_monitoring_alert_policy" "alert" {
  for_each = local.alerts

  display_name          = "Convergence: ${each.value.title}"
  combiner              = "OR"
  severity              = each.value.severity
  notification_channels = local.notification_channels
  user_labels           = { runbook = each.key }

  conditions {
    display_name = each.value.title

    condition_prometheus_query_language {
      query               = trimspace(each.value.query)
      duration            = each.value.duration
      evaluation_interval = "60s"
      # Metrics exist from their first point on; a first apply comes before it.
      disable_metric_validation = true
    }
  }

  alert_strategy {
    auto_close = "3600s"
  }

  documentation {
    subject   = "Convergence ${var.environment}: ${each.value.title}"
    content   = "What it means and what to do: ${var.runbook_url}#${each.key}"
    mime_type = "text/markdown"
  }

  depends_on = [google_logging_metric.metric]
}
