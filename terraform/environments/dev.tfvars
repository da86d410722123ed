# A small deployment to try things in: functions at their own URLs, nothing kept that is in the way of a destroy.
project_id          = "example-convergence-dev"
environment         = "dev"
onboarding_mode     = "open"
deletion_protection = false
alert_emails        = ["data-platform@example.com"]
