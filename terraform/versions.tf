terraform {
  # 1.11 is the first release with write-only arguments, which keep secrets out of the state.
  required_version = ">= 1.11.0, < 2.0.0"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 7.45"
    }
    archive = {
      source  = "hashicorp/archive"
      version = "~> 2.7"
    }
  }
}

provider "google" {
  project = var.project_id
  region  = var.region

  # Budgets and some other APIs refuse a user's own credentials unless the call names a project that pays for it.
  user_project_override = true
  billing_project       = var.project_id

  default_labels = local.labels
}

locals {
  labels = merge(var.labels, {
    app         = "convergence"
    environment = var.environment
    managed_by  = "terraform"
  })
}
