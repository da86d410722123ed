"""Pushes where ours follows Pub/Sub more closely than Google's emulator."""

import threading
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import functions_framework
import pytest
from google.cloud.pubsub_v1 import types

from local.pubsub import ManualClock
from local.pubsub.messages import Content, Message
from local.pubsub.push import Push, push_body, push_headers
from local.pubsub.subscriptions import Delivery
from tests.contract.pubsub.bench import Bench, backoff
from tests.contract.pubsub.embedded import serving
from tests.contract.pubsub.receiver import PATIENCE_SECONDS, Received, Receiver

HANDLER = """
import functions_framework

@functions_framework.cloud_event
def handle_push(event):
    assert event["type"] == "google.cloud.pubsub.topic.v1.messagePublished"
    assert event["source"] == "//pubsub.googleapis.com/projects/test/topics/orders"
    assert event["id"] == event.data["message"]["messageId"] == "7"
    assert event.data["subscription"] == "projects/test/subscriptions/readers"
    assert event.data["deliveryAttempt"] == 3
"""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as listening:
        yield listening


def push_to(pubsub: Bench, receiver: Receiver, **settings: Any) -> tuple[str, str]:
    topic = pubsub.topic()
    push_config = types.PushConfig(push_endpoint=receiver.url)
    return topic, pubsub.subscription(topic, push_config=push_config, **settings)


@pytest.mark.parametrize(
    ("status", "acked"),
    [
        (102, 1),
        (200, 1),
        (201, 1),
        (202, 1),
        (204, 1),
        (203, 0),
        (205, 0),
        (302, 0),
        (308, 0),
        (400, 0),
        (429, 0),
        (500, 0),
        (503, 0),
    ],
)
def test_the_status_alone_decides(receiver: Receiver, status: int, acked: int) -> None:
    receiver.answer = lambda received: status if len(receiver.received) == 1 else 204
    with serving() as (server, pubsub):
        topic, subscription = push_to(pubsub, receiver, retry_policy=backoff(0.01, 0.01))
        pubsub.publish(topic, b"x")
        server.wait_until_idle(PATIENCE_SECONDS)
        counts = server.counts()[subscription]
    assert (counts.delivered, counts.nacked, counts.acked) == (2 - acked, 1 - acked, 1)


def test_a_push_is_a_cloud_event_too(receiver: Receiver) -> None:
    with serving() as (_, pubsub):
        topic, _ = push_to(pubsub, receiver)
        message_id = pubsub.publish(topic, b"x")
        (received,) = receiver.wait_for(1)
    assert received.headers["ce-id"] == message_id
    assert received.headers["ce-source"] == f"//pubsub.googleapis.com/{topic}"
    assert received.headers["ce-type"] == "google.cloud.pubsub.topic.v1.messagePublished"
    assert received.headers["ce-specversion"] == "1.0"


def test_functions_framework_hands_the_whole_body_to_its_function(tmp_path: Path) -> None:
    source = tmp_path / "main.py"
    source.write_text(HANDLER)
    content = Content(data=b"x", attributes={})
    message = Message(id="7", published_at=1_700_000_000.0, content=content)
    delivery = Delivery(ack_id="1-3", message=message, attempt=3)
    app = functions_framework.create_app("handle_push", str(source))
    response = app.test_client().post(
        "/",
        data=push_body(delivery, subscription="projects/test/subscriptions/readers"),
        headers=push_headers(delivery, topic="projects/test/topics/orders"),
    )
    assert response.status_code == 200


def test_what_is_empty_is_left_out_of_the_body(receiver: Receiver) -> None:
    with serving() as (_, pubsub):
        topic, _ = push_to(pubsub, receiver)
        pubsub.publish(topic, b"x")
        (received,) = receiver.wait_for(1)
    assert set(received.body) == {"message", "subscription"}
    assert set(received.message) == {"data", "messageId", "publishTime"}


def test_attempts_are_counted_where_there_is_a_dead_letter_policy_and_end_there(receiver: Receiver) -> None:
    receiver.answer = lambda received: 500
    with serving() as (server, pubsub):
        dead_letters = pubsub.topic("dead-letters")
        operator = pubsub.subscription(dead_letters, "operator")
        policy = types.DeadLetterPolicy(dead_letter_topic=dead_letters, max_delivery_attempts=6)
        topic, subscription = push_to(
            pubsub, receiver, dead_letter_policy=policy, retry_policy=backoff(0.01, 0.01)
        )
        pubsub.publish(topic, b"poison")
        server.wait_until_idle(PATIENCE_SECONDS)
        assert [received.body["deliveryAttempt"] for received in receiver.received] == [1, 2, 3, 4, 5, 6]
        assert pubsub.pull_one(operator).message.data == b"poison"
        assert server.counts()[subscription].dead_lettered == 1


def test_a_push_unanswered_at_the_ack_deadline_is_cut_and_the_message_comes_again(receiver: Receiver) -> None:
    may_answer = threading.Event()

    def answer(received: Received) -> int:
        if len(receiver.received) == 1:
            may_answer.wait(PATIENCE_SECONDS)
        return 204

    receiver.answer = answer
    clock = ManualClock()
    with serving(clock=clock) as (server, pubsub):
        topic, subscription = push_to(pubsub, receiver, ack_deadline_seconds=600, retry_policy=backoff(0, 0))
        pubsub.publish(topic, b"slow")
        receiver.wait_for(1)
        clock.advance(600)
        receiver.wait_for(2)
        server.wait_until_idle(PATIENCE_SECONDS)
        may_answer.set()
        counts = server.counts()[subscription]
    assert (counts.delivered, counts.expired, counts.acked) == (2, 1, 1)


def test_many_pushes_of_one_subscription_are_under_way_at_once(receiver: Receiver) -> None:
    together = threading.Barrier(20, timeout=PATIENCE_SECONDS)

    def answer(received: Received) -> int:
        together.wait()
        return 204

    receiver.answer = answer
    with serving(pushes_in_flight=20) as (server, pubsub):
        topic, subscription = push_to(pubsub, receiver)
        for number in range(20):
            pubsub.publish(topic, str(number).encode())
        server.wait_until_idle(PATIENCE_SECONDS)
        assert server.counts()[subscription].acked == 20


def test_no_more_pushes_are_under_way_than_allowed(receiver: Receiver) -> None:
    lock, under_way, most = threading.Lock(), 0, 0
    together = threading.Barrier(3, timeout=PATIENCE_SECONDS)

    def answer(received: Received) -> int:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        together.wait()
        with lock:
            under_way -= 1
        return 204

    receiver.answer = answer
    with serving(pushes_in_flight=3) as (server, pubsub):
        topic, _ = push_to(pubsub, receiver)
        for number in range(12):
            pubsub.publish(topic, str(number).encode())
        server.wait_until_idle(PATIENCE_SECONDS)
    assert most == 3
    assert sorted(int(b64decode(one.message["data"])) for one in receiver.received) == list(range(12))


@pytest.mark.parametrize("host", ["nowhere.invalid", f"{'x' * 70}.invalid", "127.0.0.1:1"])
def test_an_endpoint_that_cannot_be_reached_is_a_nack(host: str) -> None:
    assert not Push(endpoint=f"http://{host}/push", body=b"{}", headers={}).send()


def test_a_push_that_was_cut_before_it_connected_is_a_nack(receiver: Receiver) -> None:
    push = Push(endpoint=receiver.url, body=b"{}", headers={})
    push.cut()
    assert not push.send()


def test_the_query_of_an_endpoint_is_kept(receiver: Receiver) -> None:
    with serving() as (_, pubsub):
        topic = pubsub.topic()
        push_config = types.PushConfig(push_endpoint=f"{receiver.url}?token=abc")
        pubsub.subscription(topic, push_config=push_config)
        pubsub.publish(topic, b"x")
        assert receiver.wait_for(1)[0].path == "/push?token=abc"


def test_a_deleted_subscription_leaves_no_dead_letter_of_its_last_push(receiver: Receiver) -> None:
    may_answer = threading.Event()

    def answer(received: Received) -> int:
        if received.body["deliveryAttempt"] == 5:
            may_answer.wait(PATIENCE_SECONDS)
        return 500

    receiver.answer = answer
    with serving() as (server, pubsub):
        dead_letters = pubsub.topic("dead-letters")
        operator = pubsub.subscription(dead_letters, "operator")
        policy = types.DeadLetterPolicy(dead_letter_topic=dead_letters, max_delivery_attempts=5)
        topic, subscription = push_to(
            pubsub, receiver, dead_letter_policy=policy, retry_policy=backoff(0.01, 0.01)
        )
        pubsub.publish(topic, b"x")
        receiver.wait_for(5)
        pubsub.subscriber.delete_subscription(subscription=subscription)
        server.wait_until_idle(PATIENCE_SECONDS)
        may_answer.set()
        assert server.counts()[operator].published == 0
