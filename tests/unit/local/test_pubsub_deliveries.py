"""Retry, deadlines and dead letters, where Google's emulator follows Pub/Sub less closely; on manual time."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud.pubsub_v1 import types

from local.pubsub import Counts, ManualClock, PubSubServer
from tests.contract.pubsub.bench import Bench, backoff
from tests.contract.pubsub.embedded import serving
from tests.contract.pubsub.receiver import PATIENCE_SECONDS


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def served(clock: ManualClock) -> Iterator[tuple[PubSubServer, Bench]]:
    with serving(clock=clock) as server_and_bench:
        yield server_and_bench


@pytest.fixture
def server(served: tuple[PubSubServer, Bench]) -> PubSubServer:
    return served[0]


@pytest.fixture
def pubsub(served: tuple[PubSubServer, Bench]) -> Bench:
    return served[1]


def due(pubsub: Bench, subscription: str) -> list[types.ReceivedMessage]:
    """Pull what is due at this moment."""
    with pytest.warns(DeprecationWarning, match="return_immediately"):
        response = pubsub.subscriber.pull(
            request={"subscription": subscription, "max_messages": 10, "return_immediately": True}
        )
    return list(response.received_messages)


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for what another thread does, for a minute at most."""
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < give_up_at
        time.sleep(0.01)


def with_dead_letters(pubsub: Bench, **settings: Any) -> tuple[str, str, str]:
    """Create a topic, a subscription that gives up after five attempts, and the operator's subscription."""
    topic, dead_letters = pubsub.topic(), pubsub.topic("dead-letters")
    policy = types.DeadLetterPolicy(dead_letter_topic=dead_letters, max_delivery_attempts=5)
    subscription = pubsub.subscription(topic, dead_letter_policy=policy, **settings)
    return topic, subscription, pubsub.subscription(dead_letters, "operator")


def test_rests_double_from_the_minimum_to_the_maximum_backoff(pubsub: Bench, clock: ManualClock) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic, retry_policy=backoff(10, 60))
    pubsub.publish(topic, b"again")
    for rest_seconds in (10, 20, 40, 60, 60):
        (received,) = due(pubsub, subscription)
        pubsub.nack(subscription, received)
        clock.advance(rest_seconds - 0.1)
        assert due(pubsub, subscription) == []
        clock.advance(0.1)
    assert len(due(pubsub, subscription)) == 1


def test_a_missed_ack_deadline_rests_like_a_rejection(pubsub: Bench, clock: ManualClock) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic, ack_deadline_seconds=600, retry_policy=backoff(10, 60))
    pubsub.publish(topic, b"slow")
    assert len(due(pubsub, subscription)) == 1
    clock.advance(600)
    assert due(pubsub, subscription) == []
    clock.advance(10)
    assert len(due(pubsub, subscription)) == 1


def test_a_message_is_leased_for_the_whole_ack_deadline(pubsub: Bench, clock: ManualClock) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic, ack_deadline_seconds=600)
    pubsub.publish(topic, b"slow")
    assert len(due(pubsub, subscription)) == 1
    clock.advance(599.9)
    assert due(pubsub, subscription) == []
    clock.advance(0.1)
    assert len(due(pubsub, subscription)) == 1


def test_an_ack_after_the_deadline_does_not_count(
    pubsub: Bench, server: PubSubServer, clock: ManualClock
) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    pubsub.publish(topic, b"late")
    (late,) = due(pubsub, subscription)
    clock.advance(10)
    assert len(due(pubsub, subscription)) == 1
    pubsub.ack(subscription, late)
    assert server.counts()[subscription].held == 1


def test_missed_ack_deadlines_lead_to_the_dead_letters_without_another_pull(
    pubsub: Bench, server: PubSubServer, clock: ManualClock
) -> None:
    topic, subscription, operator = with_dead_letters(pubsub)
    pubsub.publish(topic, b"poison")
    for _ in range(5):
        assert len(due(pubsub, subscription)) == 1
        clock.advance(10)
    wait_until(lambda: server.counts()[operator].held == 1)
    counts = server.counts()[subscription]
    assert counts == Counts(published=1, delivered=5, expired=5, dead_lettered=1)
    assert pubsub.pull_one(operator).message.data == b"poison"


def test_the_dead_letter_keeps_its_ordering_key_and_frees_the_next_message(pubsub: Bench) -> None:
    topic, subscription, operator = with_dead_letters(pubsub, enable_message_ordering=True)
    for data in (b"poison", b"next"):
        pubsub.publish(topic, data, ordering_key="one")
    for _ in range(5):
        (received,) = due(pubsub, subscription)
        assert received.message.data == b"poison"
        pubsub.nack(subscription, received)
    assert [received.message.data for received in due(pubsub, subscription)] == [b"next"]
    assert [received.message.ordering_key for received in due(pubsub, operator)] == ["one"]


def test_a_message_stays_where_it_is_while_its_dead_letter_topic_is_missing(pubsub: Bench) -> None:
    topic, subscription, _ = with_dead_letters(pubsub)
    pubsub.publisher.delete_topic(topic=pubsub.topic_name("dead-letters"))
    pubsub.publish(topic, b"poison")
    for _ in range(7):
        pubsub.nack(subscription, *due(pubsub, subscription))
    assert len(due(pubsub, subscription)) == 1


@pytest.mark.parametrize("seconds", [-1, 601])
def test_a_deadline_out_of_bounds_is_refused(pubsub: Bench, seconds: int) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    pubsub.publish(topic, b"x")
    (received,) = due(pubsub, subscription)
    with pytest.raises(exceptions.InvalidArgument, match="from 0 to 600"):
        pubsub.set_deadline(subscription, received, seconds)


@pytest.mark.parametrize(
    "settings",
    [
        {"ack_deadline_seconds": 9},
        {"filter": "nonsense"},
        {"enable_exactly_once_delivery": True},
        {"bigquery_config": types.BigQueryConfig(table="p.d.t")},
        {"push_config": types.PushConfig(push_endpoint="ftp://127.0.0.1/push")},
        {"push_config": types.PushConfig(push_endpoint="http://127.0.0.1:70000/push")},
        {"push_config": types.PushConfig(push_endpoint="http://a/", no_wrapper=types.PushConfig.NoWrapper())},
        {"dead_letter_policy": types.DeadLetterPolicy()},
    ],
)
def test_what_cannot_be_served_is_refused(pubsub: Bench, settings: dict[str, Any]) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        pubsub.subscription(pubsub.topic(), **settings)


def test_a_push_subscription_cannot_be_pulled(pubsub: Bench) -> None:
    push_config = types.PushConfig(push_endpoint="http://127.0.0.1:1/push")
    subscription = pubsub.subscription(pubsub.topic(), push_config=push_config)
    with pytest.raises(exceptions.FailedPrecondition, match="pushes its messages"):
        pubsub.pull(subscription)


def test_a_dead_letter_topic_must_exist_when_a_subscription_is_updated(pubsub: Bench) -> None:
    subscription = pubsub.subscription(pubsub.topic())
    missing = types.DeadLetterPolicy(dead_letter_topic=pubsub.topic_name("missing"), max_delivery_attempts=5)
    change = types.Subscription(name=subscription, dead_letter_policy=missing)
    request = {"subscription": change, "update_mask": {"paths": ["dead_letter_policy"]}}
    with pytest.raises(exceptions.NotFound):
        pubsub.subscriber.update_subscription(request=request)


@pytest.mark.parametrize(
    ("attributes", "rule"),
    [
        ({f"key-{number}": "x" for number in range(101)}, "at most 100 attributes"),
        ({"k" * 257: "x"}, "1 to 256 bytes"),
        ({"key": "x" * 1025}, "at most 1024 bytes"),
        ({"googclient": "x"}, "'goog'"),
    ],
)
def test_attributes_over_the_limits_of_pubsub_are_refused(
    pubsub: Bench, attributes: dict[str, str], rule: str
) -> None:
    with pytest.raises(exceptions.InvalidArgument, match=rule):
        pubsub.publish(pubsub.topic(), b"x", **attributes)


def test_a_method_that_is_not_served_says_so(pubsub: Bench) -> None:
    subscription = pubsub.subscription(pubsub.topic())
    with pytest.raises(exceptions.MethodNotImplemented):
        pubsub.subscriber.seek(request={"subscription": subscription})
