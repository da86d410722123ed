"""Pushing messages, on every Pub/Sub server."""

from base64 import b64decode
from typing import Any

from google.cloud.pubsub_v1 import types

from tests.contract.pubsub.bench import Bench, backoff
from tests.contract.pubsub.receiver import Received, Receiver

SUCCESSES = (200, 201, 204)
FAILURES = (302, 404, 500)


def push_to(receiver: Receiver, path: str = "") -> dict[str, Any]:
    return {"push_config": {"push_endpoint": f"{receiver.url}{path}"}, "retry_policy": backoff(0.1, 0.1)}


def push_to_each(pubsub: Bench, topic: str, receiver: Receiver, statuses: tuple[int, ...]) -> dict[int, str]:
    """Subscribe an endpoint to a topic for each status, and name its subscription."""
    return {
        status: pubsub.subscription(topic, f"readers-{status}", **push_to(receiver, f"/{status}"))
        for status in statuses
    }


def status_of(received: Received) -> int:
    """Tell the status that an endpoint is there for."""
    return int(received.path.rpartition("/")[2])


def data_of(received: list[Received], status: int) -> list[bytes]:
    """List what came to the endpoint of a status."""
    return [b64decode(one.message["data"]) for one in received if status_of(one) == status]


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


def test_a_success_acknowledges_the_message(pubsub: Bench, receiver: Receiver) -> None:
    receiver.answer = status_of
    topic = pubsub.topic()
    subscriptions = push_to_each(pubsub, topic, receiver, SUCCESSES)
    for times, data in enumerate((b"first", b"second"), start=1):
        pubsub.publish(topic, data)
        received = receiver.wait_for(times * len(SUCCESSES))
    for status, subscription in subscriptions.items():
        assert data_of(received, status) == [b"first", b"second"], status
        pubsub.subscriber.modify_push_config(subscription=subscription, push_config=types.PushConfig())
    assert pubsub.with_something(subscriptions) == []


def test_any_other_answer_brings_the_message_again(pubsub: Bench, receiver: Receiver) -> None:
    def answer(received: Received) -> int:
        status = status_of(received)
        return status if len(data_of(receiver.received, status)) == 1 else 204

    receiver.answer = answer
    topic = pubsub.topic()
    push_to_each(pubsub, topic, receiver, FAILURES)
    message_id = pubsub.publish(topic, b"again")
    received = receiver.wait_for(2 * len(FAILURES))
    assert {one.message["messageId"] for one in received} == {message_id}
    assert {status: len(data_of(received, status)) for status in FAILURES} == dict.fromkeys(FAILURES, 2)


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
