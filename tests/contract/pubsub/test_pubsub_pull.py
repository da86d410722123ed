"""Pulling messages, on every Pub/Sub server: what comes, what comes again, and what does not."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from google.api_core import exceptions

from tests.contract.pubsub.bench import Bench


def test_a_pulled_message_is_what_was_published(pubsub: Bench) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    message_id = pubsub.publish(topic, b"\x00\xff", colour="red")
    received = pubsub.pull_one(subscription)
    assert received.message.message_id == message_id
    assert received.message.data == b"\x00\xff"
    assert dict(received.message.attributes) == {"colour": "red"}
    assert abs(received.message.publish_time - datetime.now(UTC)) < timedelta(seconds=60)
    assert received.delivery_attempt == 0


def test_a_message_of_attributes_alone_is_delivered(pubsub: Bench) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    pubsub.publish(topic, colour="red")
    assert pubsub.pull_one(subscription).message.data == b""


def test_each_subscription_gets_every_message(pubsub: Bench) -> None:
    topic = pubsub.topic()
    subscriptions = [pubsub.subscription(topic, f"readers-{number}") for number in range(2)]
    pubsub.publish(topic, b"both")
    assert [pubsub.pull_one(one).message.data for one in subscriptions] == [b"both", b"both"]


def test_a_message_published_before_the_subscription_is_not_delivered(pubsub: Bench) -> None:
    topic = pubsub.topic()
    pubsub.publish(topic, b"early")
    subscription = pubsub.subscription(topic)
    pubsub.publish(topic, b"in time")
    assert pubsub.pull_one(subscription).message.data == b"in time"


def test_a_pull_takes_no_more_than_it_asks_for(pubsub: Bench) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    for number in range(3):
        pubsub.publish(topic, str(number).encode())
    first, second = pubsub.pull(subscription, 2), pubsub.pull(subscription, 2)
    assert [len(first), len(second)] == [2, 1]
    assert len({received.message.message_id for received in first + second}) == 3


def test_a_pull_waits_for_a_message(pubsub: Bench) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    with ThreadPoolExecutor() as pool:
        pulled = pool.submit(pubsub.pull_one, subscription)
        time.sleep(0.2)
        pubsub.publish(topic, b"late")
        assert pulled.result().message.data == b"late"


def test_a_pull_of_no_messages_is_refused(pubsub: Bench) -> None:
    subscription = pubsub.subscription(pubsub.topic())
    with pytest.raises(exceptions.InvalidArgument):
        pubsub.pull(subscription, 0)


def test_an_acknowledged_message_does_not_come_again(pubsub: Bench) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    pubsub.publish(topic, b"once")
    received = pubsub.pull_one(subscription)
    pubsub.set_deadline(subscription, received, 1)
    pubsub.ack(subscription, received)
    time.sleep(0.5)
    assert pubsub.has_nothing(subscription)


def test_an_ack_id_may_be_sent_twice(pubsub: Bench) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    pubsub.publish(topic, b"once")
    received = pubsub.pull_one(subscription)
    pubsub.ack(subscription, received, received)
    pubsub.ack(subscription, received)
    pubsub.publish(topic, b"next")
    assert pubsub.pull_one(subscription).message.data == b"next"


def test_a_rejected_message_comes_again_at_once(pubsub: Bench) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    pubsub.publish(topic, b"again")
    first = pubsub.pull_one(subscription)
    pubsub.nack(subscription, first)
    second = pubsub.pull_one(subscription)
    assert second.message.message_id == first.message.message_id
    assert second.ack_id != first.ack_id


def test_a_message_comes_again_when_its_ack_deadline_has_passed(pubsub: Bench) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    pubsub.publish(topic, b"forgotten")
    first = pubsub.pull_one(subscription)
    pubsub.set_deadline(subscription, first, 1)
    assert pubsub.pull_one(subscription).message.message_id == first.message.message_id


def test_a_message_stays_away_while_its_deadline_is_extended(pubsub: Bench) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    pubsub.publish(topic, b"busy")
    received = pubsub.pull_one(subscription)
    pubsub.set_deadline(subscription, received, 1)
    pubsub.set_deadline(subscription, received, 30)
    time.sleep(0.5)
    assert pubsub.has_nothing(subscription)


def test_an_ack_of_an_earlier_delivery_does_not_end_the_present_one(pubsub: Bench) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    pubsub.publish(topic, b"slow")
    first = pubsub.pull_one(subscription)
    pubsub.nack(subscription, first)
    second = pubsub.pull_one(subscription)
    pubsub.ack(subscription, first)
    pubsub.nack(subscription, second)
    assert pubsub.pull_one(subscription).message.data == b"slow"


def test_an_ack_id_that_no_server_gave_is_refused(pubsub: Bench) -> None:
    subscription = pubsub.subscription(pubsub.topic())
    with pytest.raises(exceptions.InvalidArgument):
        pubsub.subscriber.acknowledge(subscription=subscription, ack_ids=["nonsense"])
    with pytest.raises(exceptions.InvalidArgument):
        pubsub.subscriber.acknowledge(subscription=subscription, ack_ids=[])
