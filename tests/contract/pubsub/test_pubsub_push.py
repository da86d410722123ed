"""Pushing messages, on every Pub/Sub server."""

from base64 import b64decode
from typing import Any

import pytest
from google.cloud.pubsub_v1 import types

from tests.contract.pubsub.bench import Bench, backoff
from tests.contract.pubsub.receiver import Received, Receiver


def push_to(receiver: Receiver) -> dict[str, Any]:
    return {"push_config": {"push_endpoint": receiver.url}, "retry_policy": backoff(0.1, 0.1)}


def test_a_push_holds_the_message_and_the_subscription(pubsub: Bench, receiver: Receiver) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic, **push_to(receiver))
    message_id = pubsub.publish(topic, b"\x00\xff", colour="red")
    (received,) = receiver.wait_for(1)
    assert received.path == "/push"
    assert received.headers["content-type"] == "application/json"
    assert received.body["subscription"] == subscription
    assert received.message["messageId"] == message_id
    assert b64decode(received.message["data"]) == b"\x00\xff"
    assert received.message["attributes"] == {"colour": "red"}
    assert received.message["publishTime"].endswith("Z")


@pytest.mark.parametrize("status", [200, 201, 204])
def test_a_success_acknowledges_the_message(pubsub: Bench, receiver: Receiver, status: int) -> None:
    receiver.answer = lambda received: status
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic, **push_to(receiver))
    pubsub.publish(topic, b"first")
    receiver.wait_for(1)
    pubsub.publish(topic, b"second")
    received = receiver.wait_for(2)
    assert [b64decode(one.message["data"]) for one in received] == [b"first", b"second"]
    pubsub.subscriber.modify_push_config(subscription=subscription, push_config=types.PushConfig())
    assert pubsub.has_nothing(subscription)


@pytest.mark.parametrize("status", [302, 404, 500])
def test_any_other_answer_brings_the_message_again(pubsub: Bench, receiver: Receiver, status: int) -> None:
    def answer(received: Received) -> int:
        return status if len(receiver.received) == 1 else 204

    receiver.answer = answer
    topic = pubsub.topic()
    pubsub.subscription(topic, **push_to(receiver))
    message_id = pubsub.publish(topic, b"again")
    received = receiver.wait_for(2)
    assert [one.message["messageId"] for one in received] == [message_id, message_id]


def test_a_message_waits_for_an_endpoint_that_is_down(pubsub: Bench) -> None:
    with Receiver() as gone:
        port = gone.port
    topic = pubsub.topic()
    pubsub.subscription(
        topic, push_config={"push_endpoint": f"http://127.0.0.1:{port}/push"}, retry_policy=backoff(0.1, 0.1)
    )
    message_id = pubsub.publish(topic, b"patient")
    with Receiver(port) as back:
        (received,) = back.wait_for(1)
    assert received.message["messageId"] == message_id


def test_a_push_subscription_can_become_a_pull_subscription(pubsub: Bench, receiver: Receiver) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic, **push_to(receiver))
    pubsub.subscriber.modify_push_config(subscription=subscription, push_config=types.PushConfig())
    pubsub.publish(topic, b"pulled")
    assert pubsub.pull_one(subscription).message.data == b"pulled"
    assert receiver.received == []


def test_a_pull_subscription_can_become_a_push_subscription(pubsub: Bench, receiver: Receiver) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    message_id = pubsub.publish(topic, b"pushed")
    push_config = types.PushConfig(push_endpoint=receiver.url)
    pubsub.subscriber.modify_push_config(subscription=subscription, push_config=push_config)
    (received,) = receiver.wait_for(1)
    assert received.message["messageId"] == message_id
