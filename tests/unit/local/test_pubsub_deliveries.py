"""Retry, deadlines and dead letters, where Google's emulator follows Pub/Sub less closely; on manual time."""

from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.api_core import exceptions
from google.cloud.pubsub_v1 import types
from google.protobuf.duration_pb2 import Duration
from google.pubsub_v1 import PublisherClient

from local.pubsub import Counts, ManualClock, PubSubServer
from tests.contract.pubsub.bench import Bench, backoff
from tests.contract.pubsub.embedded import serving
from tests.contract.pubsub.receiver import PATIENCE_SECONDS
from tests.unit.local.conftest import wait_until

day = Duration(seconds=86_400)


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


@pytest.mark.parametrize("seconds", [-1, 601])
def test_a_deadline_out_of_bounds_is_refused(pubsub: Bench, seconds: int) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    pubsub.publish(topic, b"x")
    (received,) = due(pubsub, subscription)
    with pytest.raises(exceptions.InvalidArgument, match="from 0 to 600"):
        pubsub.set_deadline(subscription, received, seconds)


def test_a_push_subscription_cannot_be_pulled(pubsub: Bench) -> None:
    push_config = types.PushConfig(push_endpoint="http://127.0.0.1:1/push")
    subscription = pubsub.subscription(pubsub.topic(), push_config=push_config)
    with pytest.raises(exceptions.FailedPrecondition, match="pushes its messages"):
        pubsub.pull(subscription)


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


@pytest.mark.parametrize(
    ("settings", "rule"),
    [
        ({"ack_deadline_seconds": 9}, "from 10 to 600"),
        ({"push_config": types.PushConfig(push_endpoint="ftp://127.0.0.1/push")}, "an http or https URL"),
        (
            {"push_config": types.PushConfig(push_endpoint="http://127.0.0.1:70000/push")},
            "an http or https URL",
        ),
        ({"dead_letter_policy": types.DeadLetterPolicy()}, "names its dead_letter_topic"),
        ({"filter": 'attributes.state = "FAILED"'}, "not served on this machine: filter"),
        ({"enable_message_ordering": True}, "not served on this machine: enable_message_ordering"),
        ({"enable_exactly_once_delivery": True}, "not served on this machine: enable_exactly_once_delivery"),
        (
            {"bigquery_config": types.BigQueryConfig(table="p.d.t")},
            "not served on this machine: bigquery_config",
        ),
        ({"retain_acked_messages": True}, "not served on this machine: retain_acked_messages"),
        (
            {"expiration_policy": types.ExpirationPolicy(ttl=day)},
            "not served on this machine: expiration_policy",
        ),
        (
            {"message_retention_duration": day},
            "not served on this machine: message_retention_duration",
        ),
        (
            {
                "push_config": types.PushConfig(
                    push_endpoint="http://a/", no_wrapper=types.PushConfig.NoWrapper()
                )
            },
            "not served on this machine: push_config.no_wrapper",
        ),
        (
            {
                "push_config": types.PushConfig(
                    push_endpoint="http://a/", oidc_token=types.PushConfig.OidcToken()
                )
            },
            "not served on this machine: push_config.oidc_token",
        ),
    ],
)
def test_a_subscription_that_cannot_be_served_is_refused(
    pubsub: Bench, settings: dict[str, Any], rule: str
) -> None:
    with pytest.raises(exceptions.InvalidArgument, match=rule):
        pubsub.subscription(pubsub.topic(), **settings)
    with pytest.raises(exceptions.NotFound):
        pubsub.subscriber.get_subscription(subscription=pubsub.subscription_name("readers"))


def test_a_subscription_keeps_its_push_config_when_another_cannot_be_served(pubsub: Bench) -> None:
    subscription = pubsub.subscription(pubsub.topic())
    signed = types.PushConfig(push_endpoint="http://a/", oidc_token=types.PushConfig.OidcToken())
    with pytest.raises(exceptions.InvalidArgument, match="oidc_token"):
        pubsub.subscriber.modify_push_config(subscription=subscription, push_config=signed)
    assert pubsub.subscriber.get_subscription(subscription=subscription).push_config == types.PushConfig()


def test_a_topic_that_is_to_keep_messages_is_refused(pubsub: Bench) -> None:
    kept = types.Topic(name=pubsub.topic_name("kept"), message_retention_duration=day)
    with pytest.raises(exceptions.InvalidArgument, match="not served on this machine: message_retention"):
        pubsub.publisher.create_topic(request=kept)
    with pytest.raises(exceptions.NotFound):
        pubsub.publisher.get_topic(topic=kept.name)


def test_an_ordering_key_is_refused_and_nothing_of_its_request_is_published(
    pubsub: Bench, server: PubSubServer
) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    messages = [types.PubsubMessage(data=b"free"), types.PubsubMessage(data=b"x", ordering_key="one")]
    publisher = PublisherClient(transport=pubsub.publisher.transport)
    with pytest.raises(exceptions.InvalidArgument, match="not served on this machine: ordering_key"):
        publisher.publish(topic=topic, messages=messages)
    assert server.counts()[subscription].held == 0


def test_a_method_that_is_not_served_says_so_and_what_is(pubsub: Bench) -> None:
    subscription = pubsub.subscription(pubsub.topic())
    sentence = (
        "UpdateSubscription of google.pubsub.v1.Subscriber is not served on this machine; served is "
        "CreateSubscription, GetSubscription, ModifyPushConfig,"
    )
    with pytest.raises(exceptions.MethodNotImplemented, match=sentence):
        pubsub.subscriber.update_subscription(subscription=types.Subscription(name=subscription))
    with pytest.raises(exceptions.MethodNotImplemented, match="Seek of google"):
        pubsub.subscriber.seek(request={"subscription": subscription})


def test_callbacks_of_the_client_end_with_what_is_not_served(pubsub: Bench) -> None:
    subscription = pubsub.subscription(pubsub.topic())
    future = pubsub.subscriber.subscribe(subscription, lambda message: message.ack())
    with pytest.raises(exceptions.MethodNotImplemented, match=r"StreamingPull of google.*; served is .*Pull"):
        future.result(timeout=PATIENCE_SECONDS)


def test_a_service_that_is_not_there_at_all_says_so(server: PubSubServer) -> None:
    with grpc.insecure_channel(server.address) as channel:
        call: Any = channel.unary_unary("/google.pubsub.v1.SchemaService/ListSchemas")
        with pytest.raises(grpc.RpcError) as refused:
            call(b"", timeout=PATIENCE_SECONDS)
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert str(refused.value.details()).endswith("served is nothing of that service")
