# Budget: tells the alert channels before the month's money is spent. It stops nothing.

locals {
  budget_enabled = var.budget != null
}

resource "google_billing_budget" "month" {
  count = local.budget_enabled ? 1 : 0

  billing_account = var.budget.billing_account
  display_name    = "Convergence ${var.environment}"

  budget_filter {
    projects               = ["projects/${local.project_number}"]
    credit_types_treatment = "INCLUDE_ALL_CREDITS"
  }

  amount {
    specified_amount {
      currency_code = var.budget.currency
      units         = tostring(var.budget.amount)
    }
  }

  dynamic "threshold_rules" {
    for_each = [0.5, 0.9, 1.0]
    content {
      threshold_percent = threshold_rules.value
    }
  }

  threshold_rules {
    threshold_percent = 1.0
    spend_basis       = "FORECASTED_SPEND"
  }

  dynamic "all_updates_rule" {
    for_each = length(local.notification_channels) > 0 ? [true] : []
    content {
      # A budget takes five channels at most.
      monitoring_notification_channels = slice(local.notification_channels, 0, min(5, length(local.notification_channels)))
      disable_default_iam_recipients   = false
    }
  }

  depends_on = [google_project_service.service]
}
