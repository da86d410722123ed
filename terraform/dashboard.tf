# One dashboard: the contract's checklist at a glance. Tiles are a list of PromQL, laid out two in a row.

locals {
  level_latencies = "run_googleapis_com:request_latencies_bucket{monitored_resource=\"cloud_run_revision\", service_name=\"${local.service_names.run_level}\"}"

  tiles = [
    {
      title = "Runs by state", unit = "runs"
      query = "sum by (status) (increase(${local.promql_names.runs}{${local.run_logs}}[$${__interval}]))"
    },
    {
      title = "Runs by tenant", unit = "runs"
      query = "topk(20, sum by (tenant) (increase(${local.promql_names.runs}{${local.run_logs}}[$${__interval}])))"
    },
    {
      title = "Latency of levels (one call of run_level), p50", unit = "ms"
      query = "histogram_quantile(0.5, sum by (le) (rate(${local.level_latencies}[$${__interval}])))"
    },
    {
      title = "Latency of levels (one call of run_level), p95", unit = "ms"
      query = "histogram_quantile(0.95, sum by (le) (rate(${local.level_latencies}[$${__interval}])))"
    },
    {
      title = "Quota rejections by route", unit = "requests"
      query = "sum by (route) (increase(${local.promql_names.quota_rejections}{${local.run_logs}}[$${__interval}]))"
    },
    {
      title = "Quiet runs continued by the sweeper", unit = "runs"
      query = "sum(increase(${local.promql_names.resumed_runs}{${local.run_logs}}[$${__interval}]))"
    },
    {
      title = "Dead letters waiting", unit = "messages"
      query = "max(pubsub_googleapis_com:subscription_num_undelivered_messages{monitored_resource=\"pubsub_subscription\", subscription_id=\"${local.dead_letter_subscriptions.operator}\"})"
    },
    {
      title = "Oldest message not handled", unit = "s"
      query = "max by (subscription_id) (pubsub_googleapis_com:subscription_oldest_unacked_message_age{monitored_resource=\"pubsub_subscription\", subscription_id=~\".*-push\"})"
    },
    {
      title = "Bytes billed by tenant and day", unit = "By"
      query = "topk(20, sum by (tenant) (increase(${local.promql_names.bytes_billed}_sum{monitored_resource=\"bigquery_project\"}[1d])))"
    },
    {
      title = "Cost of queries by tenant and day, at ${var.price_per_tebibyte} per TiB", unit = "1"
      query = "topk(20, sum by (tenant) (increase(${local.promql_names.bytes_billed}_sum{monitored_resource=\"bigquery_project\"}[1d]))) / ${pow(2, 40)} * ${var.price_per_tebibyte}"
    },
    {
      title = "Function errors (5xx)", unit = "requests"
      query = "sum by (service_name) (increase(run_googleapis_com:request_count{${local.run_services}, response_code_class=\"5xx\"}[$${__interval}]))"
    },
    {
      title = "Requests by function", unit = "requests"
      query = "sum by (service_name) (increase(run_googleapis_com:request_count{${local.run_services}}[$${__interval}]))"
    },
    {
      title = "Cold starts by function", unit = "starts"
      query = "sum by (service_name) (increase(run_googleapis_com:container_startup_latencies_count{${local.run_services}}[$${__interval}]))"
    },
    {
      title = "Cold start latency, p95", unit = "ms"
      query = "histogram_quantile(0.95, sum by (le, service_name) (rate(run_googleapis_com:container_startup_latencies_bucket{${local.run_services}}[$${__interval}])))"
    },
  ]
}

resource "google_monitoring_dashboard" "platform" {
  dashboard_json = jsonencode({
    displayName = "Convergence ${var.environment}"
    mosaicLayout = {
      columns = 12
      tiles = [
        for index, tile in local.tiles : merge(
          # The API leaves out positions that are zero; with them every plan would show a change.
          { for axis, position in { xPos = index % 2 * 6, yPos = floor(index / 2) * 4 } : axis => position if position > 0 },
          {
            width  = 6
            height = 4
            widget = {
              title = tile.title
              xyChart = {
                dataSets = [{
                  plotType        = "LINE"
                  targetAxis      = "Y1"
                  timeSeriesQuery = { prometheusQuery = tile.query, unitOverride = tile.unit }
                }]
              }
            }
          },
        )
      ]
    }
  })

  depends_on = [google_project_service.service]
}
