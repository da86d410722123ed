"""Subscriptions as resources, on every Pub/Sub server."""

from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud.pubsub_v1 import types

from tests.contract.pubsub.bench import Bench, backoff


def test_a_created_subscription_can_be_read(pubsub: Bench) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic, ack_deadline_seconds=600, retry_policy=backoff(1.5, 20))
    found = pubsub.subscriber.get_subscription(subscription=subscription)
    assert (found.topic, found.ack_deadline_seconds) == (topic, 600)
    assert found.retry_policy == backoff(1.5, 20)


def test_a_subscription_is_created_once(pubsub: Bench) -> None:
    topic = pubsub.topic()
    pubsub.subscription(topic)
    with pytest.raises(exceptions.AlreadyExists):
        pubsub.subscription(topic)


def test_a_subscription_needs_a_topic_that_exists(pubsub: Bench) -> None:
    with pytest.raises(exceptions.NotFound):
        pubsub.subscription(pubsub.topic_name("missing"))


def test_a_missing_subscription_is_not_found(pubsub: Bench) -> None:
    missing = pubsub.subscription_name("missing")
    with pytest.raises(exceptions.NotFound):
        pubsub.subscriber.get_subscription(subscription=missing)
    with pytest.raises(exceptions.NotFound):
        pubsub.subscriber.delete_subscription(subscription=missing)
    with pytest.raises(exceptions.NotFound):
        pubsub.pull(missing)
    with pytest.raises(exceptions.NotFound):
        pubsub.subscriber.acknowledge(subscription=missing, ack_ids=["1-1"])


def test_omitted_settings_have_the_defaults_of_pubsub(pubsub: Bench) -> None:
    subscription = pubsub.subscription(pubsub.topic(), retry_policy=types.RetryPolicy())
    found = pubsub.subscriber.get_subscription(subscription=subscription)
    assert found.ack_deadline_seconds == 10
    assert found.retry_policy == backoff(10, 600)


@pytest.mark.parametrize(
    "settings",
    [
        {"ack_deadline_seconds": 601},
        {"retry_policy": backoff(700, 700)},
        {"retry_policy": backoff(100, 10)},
        {"push_config": types.PushConfig(push_endpoint="nonsense")},
    ],
)
def test_settings_out_of_bounds_are_refused(pubsub: Bench, settings: dict[str, Any]) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        pubsub.subscription(pubsub.topic(), **settings)


def test_a_dead_letter_policy_allows_no_less_than_five_attempts(pubsub: Bench) -> None:
    policy = types.DeadLetterPolicy(dead_letter_topic=pubsub.topic("dead-letters"), max_delivery_attempts=4)
    with pytest.raises(exceptions.OutOfRange):
        pubsub.subscription(pubsub.topic(), dead_letter_policy=policy)


def test_a_dead_letter_topic_must_exist(pubsub: Bench) -> None:
    policy = types.DeadLetterPolicy(dead_letter_topic=pubsub.topic_name("missing"), max_delivery_attempts=5)
    with pytest.raises(exceptions.NotFound):
        pubsub.subscription(pubsub.topic(), dead_letter_policy=policy)
