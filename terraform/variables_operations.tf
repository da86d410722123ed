# What operators are told, what is kept for how long, and what the scheduler does.

variable "alert_emails" {
  description = "Addresses to send alerts and budget notices to."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for address in var.alert_emails : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", address))])
    error_message = "alert_emails are e-mail addresses."
  }
}

variable "notification_channels" {
  description = "Existing notification channels to use as well (Slack, PagerDuty, ...): projects/P/notificationChannels/N."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for channel in var.notification_channels : can(regex("^projects/[^/]+/notificationChannels/[^/]+$", channel))])
    error_message = "notification_channels are full names: projects/P/notificationChannels/N."
  }
}

variable "onboarding_rate" {
  description = "How many onboardings an hour takes from one address (per_source) and in all (total), over all instances."
  type = object({
    per_source = optional(number, 20)
    total      = optional(number, 200)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.onboarding_rate.per_source >= 1 && var.onboarding_rate.total >= var.onboarding_rate.per_source
    error_message = "onboarding_rate.per_source is at least 1, and total not less than that."
  }
}

variable "offboarding_grace_days" {
  description = "How many days the dataset of an offboarded tenant is kept for its export."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.offboarding_grace_days >= 1 && var.offboarding_grace_days <= 365
    error_message = "offboarding_grace_days is 1 to 365."
  }
}

variable "runbook_url" {
  description = "Where the alerts' runbook can be read; alerts link to a section of it."
  type        = string
  default     = "docs/runbook.md"

  validation {
    condition     = length(var.runbook_url) > 0
    error_message = "runbook_url is not empty."
  }
}

variable "alert_thresholds" {
  description = "When alerts fire: share and number of failed runs in an hour; age of a message in seconds and runs continued in 15 minutes; 5xx answers and error lines of a function in 10 minutes."
  type = object({
    run_failure_ratio = optional(number, 0.2)
    failed_runs       = optional(number, 3)
    stuck_seconds     = optional(number, 1800)
    resumed_runs      = optional(number, 10)
    server_errors     = optional(number, 5)
    error_logs        = optional(number, 10)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.alert_thresholds.run_failure_ratio >= 0 && var.alert_thresholds.run_failure_ratio < 1
    error_message = "alert_thresholds.run_failure_ratio is a share: at least 0 and less than 1."
  }

  validation {
    # One long level keeps its message for up to 600 seconds and is then handed over: less would alert on work.
    condition     = var.alert_thresholds.stuck_seconds >= 900
    error_message = "alert_thresholds.stuck_seconds is at least 900."
  }
}

variable "budget" {
  description = "Monthly budget of the project: the billing account's ID, an amount, and its currency (null: the account's). Null for none."
  type = object({
    billing_account = string
    amount          = number
    currency        = optional(string)
  })
  default = null

  validation {
    condition     = var.budget == null || can(regex("^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$", var.budget.billing_account))
    error_message = "budget.billing_account is an ID such as 012345-6789AB-CDEF01."
  }

  validation {
    condition     = try(var.budget.amount >= 1 && floor(var.budget.amount) == var.budget.amount, var.budget == null)
    error_message = "budget.amount is a whole number from 1 up."
  }
}

variable "price_per_tebibyte" {
  description = "What a tebibyte of on-demand queries costs, in your currency: for the dashboard's cost by tenant."
  type        = number
  default     = 6.25

  validation {
    condition     = var.price_per_tebibyte >= 0
    error_message = "price_per_tebibyte is not negative."
  }
}

variable "backup_schedule" {
  description = "When snapshots of the central tables are taken, in the transfer service's words (UTC)."
  type        = string
  default     = "every day 02:30"

  validation {
    condition     = can(regex("^every ", var.backup_schedule))
    error_message = "backup_schedule is a schedule of the transfer service, such as \"every day 02:30\"."
  }
}

variable "backup_retention_days" {
  description = "How many days a snapshot is kept."
  type        = number
  default     = 30

  validation {
    condition     = var.backup_retention_days >= 8 && var.backup_retention_days <= 3650
    error_message = "backup_retention_days is between 8 and 3650: seven days back can be had by time travel anyway."
  }
}

variable "message_retention_days" {
  description = "How many days topics and subscriptions keep messages: how long an operator has to look at a dead letter."
  type        = number
  default     = 7

  validation {
    condition     = var.message_retention_days >= 1 && var.message_retention_days <= 31
    error_message = "message_retention_days is between 1 and 31."
  }
}

variable "scheduler_paused" {
  description = "True or false pauses or resumes the dispatcher; null leaves it as the operators have it (POST /admin/scheduler/pause)."
  type        = bool
  default     = null
}

variable "iam_settle_seconds" {
  description = "How long a first apply waits between granting the build account its roles and building with it."
  type        = number
  default     = 90

  validation {
    condition     = var.iam_settle_seconds >= 0 && var.iam_settle_seconds <= 600
    error_message = "iam_settle_seconds is between 0 and 600."
  }
}
