"""A server's life: start, idleness, stop."""

import threading
import time
from collections.abc import Iterator

import pytest
from google.api_core import exceptions
from google.cloud.pubsub_v1 import types

from local.pubsub import Counts, PubSubServer
from local.pubsub.clock import ManualClock
from tests.contract.pubsub.bench import Bench, backoff
from tests.contract.pubsub.embedded import serving
from tests.contract.pubsub.receiver import PATIENCE_SECONDS, Received, Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as listening:
        yield listening


def push_to(pubsub: Bench, receiver: Receiver) -> tuple[str, str]:
    topic = pubsub.topic()
    push_config = types.PushConfig(push_endpoint=receiver.url)
    return topic, pubsub.subscription(topic, push_config=push_config, retry_policy=backoff(0.01, 0.01))


def server_threads() -> set[threading.Thread]:
    """List the threads of all servers in this process."""
    return {thread for thread in threading.enumerate() if thread.name.startswith("pubsub")}


def test_a_started_server_tells_its_address() -> None:
    server = PubSubServer()
    address = server.start()
    server.stop()
    assert address == server.address
    assert int(address.removeprefix("127.0.0.1:")) > 0


def test_a_taken_port_is_one_clear_error() -> None:
    with PubSubServer() as server:
        port = int(server.address.split(":")[1])
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{port}: is the port taken"):
            PubSubServer(port=port).start()


def test_a_server_that_never_started_can_be_stopped() -> None:
    PubSubServer().stop()


def test_publishes_that_are_taken_are_counted_by_topic_in_requests_and_messages() -> None:
    with serving() as (server, pubsub):
        orders, bills = pubsub.topic("orders"), pubsub.topic("bills")
        messages = [types.PubsubMessage(data=b"x") for _ in range(3)]
        pubsub.publisher.transport.publish(types.PublishRequest(topic=orders, messages=messages))
        pubsub.publish(orders, b"x")
        pubsub.publish(bills, b"x")
        with pytest.raises(exceptions.NotFound):
            pubsub.publish(pubsub.topic_name("none"), b"x")
        publishes = server.publishes
        assert dict(publishes.requests) == {orders: 2, bills: 1}
        assert dict(publishes.messages) == {orders: 4, bills: 1}
        publishes.reset()
        assert not publishes.requests
        assert not publishes.messages


def test_message_ids_do_not_repeat_over_servers() -> None:
    ids = set()
    for _ in range(2):
        with serving() as (_, pubsub):
            ids.add(pubsub.publish(pubsub.topic(), b"x"))
    assert len(ids) == 2


def test_idle_means_that_every_pushed_message_is_settled(receiver: Receiver) -> None:
    may_answer = threading.Event()

    def answer(received: Received) -> int:
        may_answer.wait(PATIENCE_SECONDS)
        return 204

    receiver.answer = answer
    with serving() as (server, pubsub):
        topic, subscription = push_to(pubsub, receiver)
        server.wait_until_idle(0.1)
        pubsub.publish(topic, b"x")
        with pytest.raises(TimeoutError, match=f"{subscription} holds 1 .1 out."):
            server.wait_until_idle(0.1)
        may_answer.set()
        server.wait_until_idle(PATIENCE_SECONDS)
        assert server.counts()[subscription] == Counts(published=1, delivered=1, acked=1)


def test_messages_that_wait_to_be_pulled_do_not_keep_a_server_from_being_idle() -> None:
    with serving() as (server, pubsub):
        topic = pubsub.topic()
        subscription = pubsub.subscription(topic)
        pubsub.publish(topic, b"x")
        server.wait_until_idle(0.1)
        assert server.counts()[subscription].held == 1


def test_stopping_cuts_a_push_that_hangs_and_leaves_no_thread(receiver: Receiver) -> None:
    may_answer, answered = threading.Event(), []

    def answer(received: Received) -> int:
        may_answer.wait(PATIENCE_SECONDS)
        answered.append(received)
        return 204

    receiver.answer = answer
    before = server_threads()
    with serving() as (server, pubsub):
        topic, subscription = push_to(pubsub, receiver)
        pubsub.publish(topic, b"x")
        receiver.wait_for(1)
        server.stop()
        assert not answered
        assert server_threads() == before
        counts = server.counts()[subscription]
        assert (counts.held, counts.nacked) == (1, 0)
    may_answer.set()


def test_stopping_leaves_pushes_under_way_the_time_it_is_told(receiver: Receiver) -> None:
    def answer(received: Received) -> int:
        time.sleep(0.3)
        return 204

    receiver.answer = answer
    with serving() as (server, pubsub):
        topic, subscription = push_to(pubsub, receiver)
        pubsub.publish(topic, b"x")
        receiver.wait_for(1)
        server.stop(drain_seconds=PATIENCE_SECONDS)
        assert server.counts()[subscription].acked == 1


def test_what_a_handler_publishes_while_the_server_drains_is_accepted(receiver: Receiver) -> None:
    stopping = threading.Event()
    with serving() as (server, pubsub):
        next_level = pubsub.topic("next-level")
        follower = pubsub.subscription(next_level, "follower")
        topic, subscription = push_to(pubsub, receiver)

        def answer(received: Received) -> int:
            stopping.wait(PATIENCE_SECONDS)
            time.sleep(0.1)
            pubsub.publish(next_level, b"onwards")
            return 204

        receiver.answer = answer
        pubsub.publish(topic, b"x")
        receiver.wait_for(1)
        stopping.set()
        server.stop(drain_seconds=PATIENCE_SECONDS)
        assert server.counts()[subscription].acked == 1
        assert server.counts()[follower].held == 1


def test_an_empty_pull_waits_no_longer_than_the_server_is_told() -> None:
    with serving(clock=ManualClock(), pull_seconds=0.0) as (_, pubsub):
        assert pubsub.pull(pubsub.subscription(pubsub.topic())) == []


def test_stopping_sends_waiting_pullers_away() -> None:
    before = server_threads()
    with serving() as (server, pubsub):
        subscription = pubsub.subscription(pubsub.topic())
        errors: list[exceptions.ServiceUnavailable] = []

        def pull() -> None:
            try:
                pubsub.pull(subscription)
            except exceptions.ServiceUnavailable as error:
                errors.append(error)

        puller = threading.Thread(target=pull)
        puller.start()
        time.sleep(0.2)
        server.stop()
        puller.join(PATIENCE_SECONDS)
        assert [error.message for error in errors] == ["the server is stopping"]
        assert server_threads() == before
