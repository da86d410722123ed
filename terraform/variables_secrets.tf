# Secrets and keys. Values are ephemeral: they are in no plan and in no state, so each apply that needs one is given it.

variable "secret_values_from" {
  description = "Who writes secret values: terraform (from the variables below) or operator (gcloud secrets versions add, before functions start)."
  type        = string
  default     = "terraform"

  validation {
    condition     = contains(["terraform", "operator"], var.secret_values_from)
    error_message = "secret_values_from is terraform or operator."
  }
}

variable "admin_api_key" {
  description = "The operators' key, or several separated by commas while one is being replaced. Give it as TF_VAR_admin_api_key."
  type        = string
  default     = null
  sensitive   = true
  ephemeral   = true

  validation {
    condition     = var.secret_values_from != "terraform" || try(alltrue([for key in split(",", var.admin_api_key) : length(trimspace(key)) >= 16]), false)
    error_message = "Set TF_VAR_admin_api_key to a key of at least 16 characters (several: separated by commas), or secret_values_from = \"operator\"."
  }
}

variable "admin_api_key_version" {
  description = "Count this up to make a new version of the secret from admin_api_key; functions are then redeployed with it."
  type        = number
  default     = 1

  validation {
    condition     = var.admin_api_key_version >= 1 && floor(var.admin_api_key_version) == var.admin_api_key_version
    error_message = "admin_api_key_version is a whole number from 1 up."
  }
}

variable "onboarding_mode" {
  description = "Who may onboard: open (anybody), token (who has onboarding_token) or closed (operators only)."
  type        = string
  default     = "closed"

  validation {
    condition     = contains(["open", "token", "closed"], var.onboarding_mode)
    error_message = "onboarding_mode is open, token or closed."
  }
}

variable "onboarding_token" {
  description = "The token that onboarding asks for where onboarding_mode is token. Give it as TF_VAR_onboarding_token."
  type        = string
  default     = null
  sensitive   = true
  ephemeral   = true

  validation {
    condition     = var.onboarding_mode != "token" || var.secret_values_from != "terraform" || try(length(var.onboarding_token) >= 16, false)
    error_message = "onboarding_mode = \"token\" needs TF_VAR_onboarding_token, of at least 16 characters."
  }
}

variable "onboarding_token_version" {
  description = "Count this up to make a new version of the secret from onboarding_token."
  type        = number
  default     = 1

  validation {
    condition     = var.onboarding_token_version >= 1 && floor(var.onboarding_token_version) == var.onboarding_token_version
    error_message = "onboarding_token_version is a whole number from 1 up."
  }
}

variable "kms_keys" {
  description = "Customer-managed keys: regional for everything in var.region, bigquery for datasets (in var.bigquery_location). Null: Google's keys."
  type = object({
    regional = optional(string)
    bigquery = optional(string)
  })
  default  = {}
  nullable = false

  validation {
    condition = alltrue([
      for key in [var.kms_keys.regional, var.kms_keys.bigquery] :
      key == null || can(regex("^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+$", key))
    ])
    error_message = "kms_keys are full names: projects/P/locations/L/keyRings/R/cryptoKeys/K."
  }

  validation {
    condition     = try(regex("/locations/([^/]+)/", var.kms_keys.regional)[0] == var.region, var.kms_keys.regional == null)
    error_message = "kms_keys.regional must be in var.region."
  }

  validation {
    condition     = try(lower(regex("/locations/([^/]+)/", var.kms_keys.bigquery)[0]) == lower(var.bigquery_location), var.kms_keys.bigquery == null)
    error_message = "kms_keys.bigquery must be in var.bigquery_location."
  }
}

variable "credentials_enabled" {
  description = "Whether tenants can keep credentials for their own clouds and give secret parameters, sealed under credentials_keyring."
  type        = bool
  default     = false
  nullable    = false
}

variable "credentials_keyring" {
  description = "The key ring: {\"active\": NAME, \"keys\": {NAME: 32 bytes in base64}}. Give it as TF_VAR_credentials_keyring."
  type        = string
  default     = null
  sensitive   = true
  ephemeral   = true

  validation {
    condition     = !var.credentials_enabled || var.secret_values_from != "terraform" || try(contains(keys(jsondecode(var.credentials_keyring).keys), jsondecode(var.credentials_keyring).active), false)
    error_message = "credentials_enabled needs TF_VAR_credentials_keyring, with its active key."
  }
}

variable "credentials_public_keys" {
  description = "The key ring's public half, no secret, which `make credentials-public-keys` prints: {\"active\": NAME, \"public_keys\": {NAME: 32 bytes in base64}}."
  type        = string
  default     = null

  validation {
    condition     = !var.credentials_enabled || can(regex("^[A-Za-z0-9+/]{43}=$", jsondecode(var.credentials_public_keys).public_keys[jsondecode(var.credentials_public_keys).active]))
    error_message = "credentials_enabled needs credentials_public_keys, with its active key: make credentials-public-keys prints it."
  }

  validation {
    condition     = !can(jsondecode(var.credentials_public_keys).keys)
    error_message = "credentials_public_keys is the public half alone: the ring itself is credentials_keyring."
  }
}

variable "credentials_keyring_version" {
  description = "Count this up to make a new version of the secret from credentials_keyring."
  type        = number
  default     = 1

  validation {
    condition     = var.credentials_keyring_version >= 1 && floor(var.credentials_keyring_version) == var.credentials_keyring_version
    error_message = "credentials_keyring_version is a whole number from 1 up."
  }
}

variable "levels_signed" {
  description = "Whether functions sign the messages that start and continue levels, and believe no other, under levels_keys."
  type        = bool
  default     = false
  nullable    = false
}

variable "levels_keys" {
  description = "Keys of level messages, 32 characters or more, separated by commas: the first one signs, all are believed. Give them as TF_VAR_levels_keys."
  type        = string
  default     = null
  sensitive   = true
  ephemeral   = true

  validation {
    condition     = !var.levels_signed || var.secret_values_from != "terraform" || try(alltrue([for key in split(",", var.levels_keys) : length(trimspace(key)) >= 32]), false)
    error_message = "levels_signed needs TF_VAR_levels_keys, each of 32 characters or more."
  }
}

variable "levels_keys_version" {
  description = "Count this up to make a new version of the secret from levels_keys."
  type        = number
  default     = 1

  validation {
    condition     = var.levels_keys_version >= 1 && floor(var.levels_keys_version) == var.levels_keys_version
    error_message = "levels_keys_version is a whole number from 1 up."
  }
}

variable "console_enabled" {
  description = "Whether the console is deployed: pages for tenants and operators, which seal their sessions under console_keys."
  type        = bool
  default     = false
  nullable    = false
}

variable "notifications_enabled" {
  description = "Whether people are told of runs, as pipelines' files ask for it: it opens the credentials that have their addresses, so it needs credentials_enabled."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = !var.notifications_enabled || var.credentials_enabled
    error_message = "notifications_enabled needs credentials_enabled: addresses and secrets of notices are credentials."
  }
}

variable "console_keys" {
  description = "What the console's sessions are sealed with, 32 characters or more, separated by commas: the first one seals, all open. Give them as TF_VAR_console_keys."
  type        = string
  default     = null
  sensitive   = true
  ephemeral   = true

  validation {
    condition     = !var.console_enabled || var.secret_values_from != "terraform" || try(alltrue([for key in split(",", var.console_keys) : length(trimspace(key)) >= 32]), false)
    error_message = "console_enabled needs TF_VAR_console_keys, each of 32 characters or more."
  }
}

variable "console_keys_version" {
  description = "Count this up to make a new version of the secret from console_keys."
  type        = number
  default     = 1

  validation {
    condition     = var.console_keys_version >= 1 && floor(var.console_keys_version) == var.console_keys_version
    error_message = "console_keys_version is a whole number from 1 up."
  }
}
