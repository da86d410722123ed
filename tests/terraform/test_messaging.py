"""Topics, push subscriptions, dead letters and the dispatcher's job."""

from common.wiring import PUSH_DEADLINE
from tests.terraform.configuration import local_values, resources

PUSHED = {"levels": "run_level", "run_requests": "run_request", "run_events": "notify"}


def test_topics_have_the_platforms_names() -> None:
    assert local_values()["topics"] == {
        "levels": "pipeline-levels",
        "run_requests": "run-requests",
        "run_events": "run-events",
        "dead_letters": "dead-letters",
    }


def test_each_topic_that_the_platform_reads_is_pushed_to_its_function_and_gives_up_in_time() -> None:
    subscriptions = local_values()["push_subscriptions"]
    assert {topic: to["function"] for topic, to in subscriptions.items()} == PUSHED
    assert all(5 <= to["max_delivery_attempts"] <= 10 for to in subscriptions.values())


def test_each_push_subscription_has_oidc_600_seconds_a_retry_policy_and_a_dead_letter() -> None:
    for name, subscription in resources("google_pubsub_subscription").items():
        if name == "dead_letters":
            continue
        push = subscription["push_config"][0]
        assert push["oidc_token"][0]["service_account_email"] == (
            '${google_service_account.account["push"].email}'
        )
        assert subscription["ack_deadline_seconds"] == PUSH_DEADLINE.total_seconds()
        assert subscription["retry_policy"] == [{"minimum_backoff": "10s", "maximum_backoff": "600s"}]
        dead_letter = subscription["dead_letter_policy"][0]
        assert dead_letter["dead_letter_topic"] == '${google_pubsub_topic.topic["dead_letters"].id}'


def test_a_push_is_signed_for_the_service_and_not_for_its_path() -> None:
    push = resources("google_pubsub_subscription")["push"]["push_config"][0]
    audience = push["oidc_token"][0]["audience"]
    assert audience.endswith(".service_config[0].uri}")
    assert push["push_endpoint"].startswith(f"{audience}/projects/")


def test_no_subscription_expires() -> None:
    for subscription in resources("google_pubsub_subscription").values():
        assert subscription["expiration_policy"] == [{"ttl": ""}]


def test_pubsub_may_forward_dead_letters() -> None:
    assert resources("google_pubsub_topic_iam_member")["dead_letter"]["role"] == "roles/pubsub.publisher"
    forwarder = resources("google_pubsub_subscription_iam_member")["dead_letter"]
    assert forwarder["for_each"] == "${local.pushed}"
    assert forwarder["role"] == "roles/pubsub.subscriber"
    assert forwarder["member"] == "${local.pubsub_agent}"


def test_the_operator_and_the_dispatcher_each_have_their_own_look_at_dead_letters() -> None:
    subscription = resources("google_pubsub_subscription")["dead_letters"]
    assert subscription["for_each"] == "${local.dead_letter_subscriptions}"
    assert "push_config" not in subscription
    assert local_values()["dead_letter_subscriptions"]["operator"] == "dead-letters-operator"


def test_the_dispatcher_is_called_each_minute_with_oidc_within_its_own_time() -> None:
    job = resources("google_cloud_scheduler_job")["dispatcher"]
    assert job["schedule"] == "* * * * *"
    assert "oidc_token" in job["http_target"][0]
    assert job["attempt_deadline"] == "${local.functions.dispatcher.timeout_seconds}s"
    assert job["retry_config"][0]["retry_count"] == 1
    assert job["paused"] == "${var.scheduler_paused}"
