# Topics, our own push subscriptions to the functions, and what becomes of messages that nobody can handle.

locals {
  topics = {
    levels       = "pipeline-levels"
    run_requests = "run-requests"
    run_events   = "run-events"
    dead_letters = "dead-letters"
  }

  # topic => the function that its messages are pushed to
  push_subscriptions = {
    levels       = { function = "run_level", max_delivery_attempts = 10 }
    run_requests = { function = "run_request", max_delivery_attempts = 5 }
    run_events   = { function = "notify", max_delivery_attempts = 10 }
  }

  # Those whose function is deployed.
  pushed = { for topic, to in local.push_subscriptions : topic => to if contains(keys(local.functions), to.function) }

  subscriptions = { for topic in keys(local.pushed) : topic => "${local.topics[topic]}-push" }

  # Who looks at dead letters: the operator, who takes away what has been seen to, and the dispatcher, which fails their runs.
  dead_letter_subscriptions = {
    dispatcher = "dead-letters-dispatcher"
    operator   = "dead-letters-operator"
  }

  # function => the topics that it publishes to
  publishers = {
    dispatcher  = ["levels", "run_events"]
    notify      = ["dead_letters"]
    pipelines   = ["levels", "run_events"]
    run_level   = ["levels", "run_events", "dead_letters"]
    run_request = ["levels", "run_events", "dead_letters"]
  }

  # Functions that say on /health whether they can reach the levels' topic.
  health_functions = ["admin", "onboarding", "pipelines"]

  topic_grants = merge(
    merge([
      for function, topics in local.publishers : {
        for topic in topics : "${topic}/publisher/${function}" => {
          topic = topic, role = "roles/pubsub.publisher", member = google_service_account.account[function].member
        }
      } if contains(keys(local.functions), function)
    ]...),
    {
      for function in local.health_functions : "levels/see/${function}" => {
        topic = "levels", role = google_project_iam_custom_role.role["SeeTopic"].id, member = google_service_account.account[function].member
      }
    },
    {
      for member in var.run_request_publishers : "run_requests/publisher/${member}" => {
        topic = "run_requests", role = "roles/pubsub.publisher", member = member
      }
    },
    {
      for member in var.run_event_subscribers : "run_events/subscriber/${member}" => {
        topic = "run_events", role = "roles/pubsub.subscriber", member = member
      }
    },
  )

  # Pub/Sub's own account, which forwards dead letters and signs push requests.
  pubsub_agent = "serviceAccount:service-${local.project_number}@gcp-sa-pubsub.iam.gserviceaccount.com"
}

resource "google_pubsub_topic" "topic" {
  # checkov:skip=CKV_GCP_83:CMEK is optional: kms_keys.regional switches it on.
  for_each = local.topics

  name                       = each.value
  kms_key_name               = var.kms_keys.regional
  message_retention_duration = "${var.message_retention_days * 86400}s"

  depends_on = [google_project_service.service, google_kms_crypto_key_iam_member.agent]
}

resource "google_pubsub_subscription" "push" {
  for_each = local.pushed

  name                       = local.subscriptions[each.key]
  topic                      = google_pubsub_topic.topic[each.key].id
  ack_deadline_seconds       = 600 # The longest there is: a level works for minutes before it hands over.
  message_retention_duration = "${var.message_retention_days * 86400}s"

  push_config {
    # The path tells functions-framework the topic; the audience stays the service's own address.
    push_endpoint = "${google_cloudfunctions2_function.function[each.value.function].service_config[0].uri}/projects/${var.project_id}/topics/${local.topics[each.key]}"

    oidc_token {
      service_account_email = google_service_account.account["push"].email
      audience              = google_cloudfunctions2_function.function[each.value.function].service_config[0].uri
    }
  }

  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }

  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.topic["dead_letters"].id
    max_delivery_attempts = each.value.max_delivery_attempts
  }

  expiration_policy {
    ttl = "" # Never: a month without runs must not take the platform apart.
  }

  depends_on = [
    google_cloud_run_v2_service_iam_member.push,
    google_service_account_iam_member.push_token,
    google_pubsub_topic_iam_member.dead_letter,
  ]
}

resource "google_pubsub_subscription" "dead_letters" {
  for_each = local.dead_letter_subscriptions

  name                       = each.value
  topic                      = google_pubsub_topic.topic["dead_letters"].id
  ack_deadline_seconds       = 600
  message_retention_duration = "${var.message_retention_days * 86400}s"
  # A message that was taken by mistake can be had again until it is too old.
  retain_acked_messages = true

  expiration_policy {
    ttl = ""
  }
}

resource "google_pubsub_subscription_iam_member" "dispatcher" {
  subscription = google_pubsub_subscription.dead_letters["dispatcher"].id
  role         = "roles/pubsub.subscriber"
  member       = google_service_account.account["dispatcher"].member
}

resource "google_pubsub_topic_iam_member" "grant" {
  for_each = local.topic_grants

  topic  = google_pubsub_topic.topic[each.value.topic].id
  role   = each.value.role
  member = each.value.member
}

resource "google_pubsub_topic_iam_member" "dead_letter" {
  topic  = google_pubsub_topic.topic["dead_letters"].id
  role   = "roles/pubsub.publisher"
  member = local.pubsub_agent
}

# Forwarding a dead letter acknowledges it on the subscription that gave up.
resource "google_pubsub_subscription_iam_member" "dead_letter" {
  for_each = local.pushed

  subscription = google_pubsub_subscription.push[each.key].id
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub_agent
}

resource "google_service_account_iam_member" "push_token" {
  service_account_id = google_service_account.account["push"].id
  role               = "roles/iam.serviceAccountOpenIdTokenCreator"
  member             = local.pubsub_agent

  # Pub/Sub's account comes into being with the first topic of a project.
  depends_on = [google_pubsub_topic.topic]
}
