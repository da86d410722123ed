"""Trouble on purpose: what it does to delivery, and that a seed repeats it."""

from base64 import b64decode
from collections import Counter
from collections.abc import Iterator

import pytest
from google.cloud.pubsub_v1 import types

from local.pubsub import Disturbance, ManualClock
from local.pubsub.disturbances import Disturber
from tests.contract.pubsub.bench import Bench, backoff
from tests.contract.pubsub.embedded import serving
from tests.contract.pubsub.receiver import PATIENCE_SECONDS, Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as listening:
        yield listening


def publish_pushed(pubsub: Bench, receiver: Receiver, count: int) -> str:
    """Publish messages 0, 1, 2 … to a push subscription of the receiver."""
    topic = pubsub.topic()
    push_config = types.PushConfig(push_endpoint=receiver.url)
    policy = backoff(0.01, 0.01)
    subscription = pubsub.subscription(topic, push_config=push_config, retry_policy=policy)
    for number in range(count):
        pubsub.publish(topic, str(number).encode())
    return subscription


def numbers(receiver: Receiver) -> list[int]:
    return [int(b64decode(received.message["data"])) for received in receiver.received]


def trouble(seed: int) -> list[object]:
    """Draw what happens to a hundred messages."""
    disturbance = Disturbance(seed=seed, duplicate=0.3, delay=0.3, reorder=0.3, drop=0.3)
    disturber = Disturber(disturbance, "projects/test/subscriptions/readers")
    arrivals = [list(disturber.arrivals(number)) for number in range(100)]
    return [*arrivals, *(disturber.drops(f"{number}/0", 1) for number in range(100))]


def test_the_default_is_no_trouble() -> None:
    disturber = Disturber(Disturbance(), "readers")
    for number in range(100):
        (arrival,) = disturber.arrivals(number)
        assert (arrival.delay_seconds, arrival.may_be_overtaken) == (0.0, False)
        assert not disturber.drops(arrival.place, 1)


def test_one_seed_makes_the_same_trouble_again_and_another_seed_other_trouble() -> None:
    assert trouble(7) == trouble(7)
    assert trouble(7) != trouble(8)


def test_probabilities_are_kept() -> None:
    disturber = Disturber(Disturbance(seed=1, duplicate=0.25), "readers")
    duplicated = sum(len(list(disturber.arrivals(number))) == 2 for number in range(2000))
    assert duplicated == pytest.approx(500, abs=60)


def test_a_duplicate_comes_though_the_first_is_acknowledged(receiver: Receiver) -> None:
    with serving(disturbance=Disturbance(duplicate=1.0)) as (server, pubsub):
        subscription = publish_pushed(pubsub, receiver, 5)
        server.wait_until_idle(PATIENCE_SECONDS)
        counts = server.counts()[subscription]
    assert Counter(numbers(receiver)) == dict.fromkeys(range(5), 2)
    assert (counts.published, counts.delivered, counts.acked) == (5, 10, 10)
    assert len({received.message["messageId"] for received in receiver.received}) == 5


def test_a_delayed_message_comes_late(receiver: Receiver) -> None:
    clock = ManualClock()
    with serving(disturbance=Disturbance(delay=1.0, delay_seconds=30), clock=clock) as (server, pubsub):
        subscription = publish_pushed(pubsub, receiver, 3)
        assert server.counts()[subscription].delivered == 0
        clock.advance(30)
        server.wait_until_idle(PATIENCE_SECONDS)
    assert sorted(numbers(receiver)) == [0, 1, 2]


def test_reordered_messages_let_later_ones_pass(receiver: Receiver) -> None:
    with serving(disturbance=Disturbance(seed=3, reorder=0.5), pushes_in_flight=1) as (server, pubsub):
        publish_pushed(pubsub, receiver, 20)
        server.wait_until_idle(PATIENCE_SECONDS)
    assert sorted(numbers(receiver)) == list(range(20))
    assert numbers(receiver) != list(range(20))


def test_a_dropped_attempt_reaches_nobody_until_the_message_comes_again(receiver: Receiver) -> None:
    with serving(disturbance=Disturbance(seed=5, drop=0.5, drop_seconds=0.02)) as (server, pubsub):
        subscription = publish_pushed(pubsub, receiver, 20)
        server.wait_until_idle(PATIENCE_SECONDS)
        counts = server.counts()[subscription]
    assert sorted(numbers(receiver)) == list(range(20))
    assert counts.expired > 0
    assert counts.delivered == 20 + counts.expired
