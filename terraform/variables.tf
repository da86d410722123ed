# What a deployment is: where it is, who its tenants are, how its functions run. Operations have a file of their own.

variable "project_id" {
  description = "The Google Cloud project, which exists already and has billing. One project per environment."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "project_id is a project's ID: 6 to 30 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "environment" {
  description = "What this deployment is for, such as dev or prod: a label on everything, and part of alert and dashboard titles."
  type        = string
  default     = "dev"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,19}$", var.environment))
    error_message = "environment is up to 20 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "labels" {
  description = "Labels to put on everything, besides app, environment and managed_by."
  type        = map(string)
  default     = {}

  validation {
    condition     = length(setintersection(keys(var.labels), ["app", "environment", "managed_by"])) == 0
    error_message = "labels must leave app, environment and managed_by alone: Terraform sets those."
  }
}

variable "region" {
  description = "The region of functions, topics, scheduler and sources."
  type        = string
  default     = "us-central1"

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "region is a region such as us-central1, not a zone and not a multi-region."
  }
}

variable "bigquery_location" {
  description = "The location of all datasets and jobs: US, EU or a region. It can never be changed."
  type        = string
  default     = "US"

  validation {
    condition     = contains(["US", "EU"], var.bigquery_location) || can(regex("^[a-z]+-[a-z]+[0-9]+$", var.bigquery_location))
    error_message = "bigquery_location is US, EU or a region such as europe-west1."
  }
}

variable "central_dataset" {
  description = "The dataset of the platform's own tables. Tenants may not have a name that begins with it."
  type        = string
  default     = "tenants"

  validation {
    condition     = can(regex("^[a-z][a-z0-9_]{0,50}$", var.central_dataset))
    error_message = "central_dataset is up to 51 lower-case letters, digits and underscores, beginning with a letter."
  }
}

variable "import_central_dataset" {
  description = "True for the first apply in a project where bootstrap has made the central dataset already: take it over."
  type        = bool
  default     = false
  nullable    = false
}

variable "deletion_protection" {
  description = "Whether destroy stops at the central tables and their snapshots. False is for projects that are thrown away."
  type        = bool
  default     = true
  nullable    = false
}

variable "allowed_sources" {
  description = "What all tenants may use besides their own dataset: projects, or datasets as project.dataset, to read; buckets as gs://bucket, or gs://bucket/path, for files."
  type        = list(string)
  default     = ["bigquery-public-data"]
  nullable    = false

  validation {
    condition     = alltrue([for source in var.allowed_sources : can(regex("^([a-z][a-z0-9-]{4,28}[a-z0-9](\\.[A-Za-z0-9_]+)?|gs://[a-z0-9][a-z0-9._-]{1,61}[a-z0-9](/[^/*?#$]+)*)$", source))])
    error_message = "allowed_sources are project IDs, datasets as project.dataset, or buckets as gs://bucket or gs://bucket/path."
  }

  validation {
    condition     = alltrue([for source in var.allowed_sources : source != var.project_id && source != "${var.project_id}.${var.central_dataset}"])
    error_message = "allowed_sources must not open the platform's own project or its central dataset to tenants."
  }
}

variable "maximum_bytes_billed" {
  description = "The most that one step of a tenant's may have this project billed for, in bytes; the default is a TiB."
  type        = number
  default     = 1099511627776
  nullable    = false

  validation {
    condition     = var.maximum_bytes_billed >= 10485760 && floor(var.maximum_bytes_billed) == var.maximum_bytes_billed
    error_message = "maximum_bytes_billed is a whole number of bytes, at least 10485760: BigQuery bills no query for less."
  }
}

variable "file_buckets" {
  description = "Buckets whose files steps load (and write, with writes): for tenants without an account of their own, or for the dedicated tenants that are named. Which tenant may name which of them, sources say."
  type = map(object({
    writes  = optional(bool, false)
    tenants = optional(set(string))
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for bucket in keys(var.file_buckets) : can(regex("^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$", bucket))])
    error_message = "Each key of file_buckets is the name of a bucket, without gs://."
  }

  validation {
    condition     = alltrue([for access in values(var.file_buckets) : alltrue([for tenant in coalesce(access.tenants, []) : contains(keys(var.dedicated_tenants), tenant)])])
    error_message = "Each of a bucket's tenants is one of dedicated_tenants."
  }
}

variable "dedicated_tenants" {
  description = "Tenants with isolation = dedicated: tenant ID => the ID of the service account that their SQL runs under."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for tenant in keys(var.dedicated_tenants) : can(regex("^[a-z][a-z0-9_]{2,49}$", tenant)) && !startswith(tenant, var.central_dataset)])
    error_message = "Each key of dedicated_tenants is a tenant ID: 3 to 50 lower-case letters, digits and underscores, and no name that begins like the central dataset's."
  }

  validation {
    condition     = alltrue([for account in values(var.dedicated_tenants) : can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", account)) && !startswith(account, "convergence-")])
    error_message = "Each value of dedicated_tenants is a service account ID: 6 to 30 lower-case letters, digits and hyphens, and not one that begins with convergence-."
  }

  validation {
    condition     = length(distinct(values(var.dedicated_tenants))) == length(var.dedicated_tenants)
    error_message = "Each tenant of dedicated_tenants has an account of its own."
  }

  validation {
    # The shared executor's condition names each of them, and an IAM condition takes 12 logical operators.
    condition     = length(var.dedicated_tenants) <= 4
    error_message = "dedicated_tenants takes four tenants at most; a fifth is better off in a project of its own."
  }
}

variable "function_settings" {
  description = "Per function, by the name of its folder: what to change about its size and its limits."
  type = map(object({
    memory          = optional(string)
    cpu             = optional(string)
    concurrency     = optional(number)
    min_instances   = optional(number)
    max_instances   = optional(number)
    timeout_seconds = optional(number)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = length(setsubtract(keys(var.function_settings), ["onboarding", "admin", "pipelines", "run_request", "run_level", "notify", "dispatcher"])) == 0
    error_message = "function_settings knows onboarding, admin, pipelines, run_request, run_level, notify and dispatcher."
  }

  validation {
    condition     = alltrue([for settings in values(var.function_settings) : settings.memory == null || can(regex("^[0-9]+(M|G|Mi|Gi)$", settings.memory))])
    error_message = "A function's memory is a number with a unit, such as 512M or 1Gi."
  }

  validation {
    condition     = alltrue([for settings in values(var.function_settings) : coalesce(settings.timeout_seconds, 60) >= 30 && coalesce(settings.timeout_seconds, 60) <= 3600])
    error_message = "A function's timeout_seconds is between 30 and 3600."
  }

  validation {
    condition     = alltrue([for settings in values(var.function_settings) : coalesce(settings.min_instances, 0) <= coalesce(settings.max_instances, 1000)])
    error_message = "A function's min_instances is at most its max_instances."
  }
}

variable "level_seconds" {
  description = "How long one call of run_level works on a level before it hands over what is still running, in seconds. Pub/Sub sends more at once the sooner it is answered."
  type        = number
  default     = 30

  validation {
    condition     = var.level_seconds >= 10 && var.level_seconds <= 540
    error_message = "level_seconds is between 10 and 540: a message must be answered within its 600 seconds."
  }
}

variable "domain" {
  description = "The host name to serve the contract's paths at, over a load balancer; null for the functions' own URLs."
  type        = string
  default     = null

  validation {
    condition     = var.domain == null || can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", var.domain))
    error_message = "domain is a host name such as pipelines.example.com, without scheme or path."
  }
}

variable "rate_limits" {
  description = "What one address may ask of the gateway: calls of onboarding, and calls of everything, per minute."
  type = object({
    onboarding_per_minute = optional(number, 10)
    requests_per_minute   = optional(number, 600)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.rate_limits.onboarding_per_minute >= 1 && var.rate_limits.requests_per_minute >= 1
    error_message = "rate_limits are at least 1 per minute."
  }
}

variable "run_request_publishers" {
  description = "Who may ask for runs by message (topic run-requests): IAM members such as serviceAccount:etl@example.iam.gserviceaccount.com."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for member in var.run_request_publishers : can(regex("^(user|group|serviceAccount|principal|principalSet):", member))])
    error_message = "run_request_publishers are IAM members: user:, group:, serviceAccount:, principal: or principalSet:, and never allUsers."
  }
}

variable "run_event_subscribers" {
  description = "Who may attach subscriptions to the topic of run events: IAM members."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for member in var.run_event_subscribers : can(regex("^(user|group|serviceAccount|principal|principalSet):", member))])
    error_message = "run_event_subscribers are IAM members: user:, group:, serviceAccount:, principal: or principalSet:, and never allUsers."
  }
}
