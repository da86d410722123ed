"""What survives a restart of the server, and what does not come back."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from google.api_core import exceptions
from google.cloud.pubsub_v1 import types

from local.pubsub import PubSubServer
from tests.contract.pubsub.bench import Bench, backoff, clients
from tests.contract.pubsub.embedded import serving
from tests.contract.pubsub.receiver import Receiver

SERVER = """
import sys, threading
from local.pubsub import PubSubServer

server = PubSubServer(journal=sys.argv[1])
print(server.start(), flush=True)
threading.Event().wait()
"""

type Restart = Callable[[], AbstractContextManager[Bench]]
"""Run one more server on the same journal, and work in the same project on it."""


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "state" / "pubsub.jsonl"


@pytest.fixture
def restart(journal: Path) -> Restart:
    @contextmanager
    def run() -> Iterator[Bench]:
        with serving(journal=journal) as (_, bench):
            bench.project = "test-restarts"
            yield bench

    return run


def test_topics_and_subscriptions_are_as_before(restart: Restart) -> None:
    with restart() as pubsub:
        topic = pubsub.topic()
        subscription = pubsub.subscription(topic, ack_deadline_seconds=600, retry_policy=backoff(0.5, 20))
        before = pubsub.subscriber.get_subscription(subscription=subscription)
    with restart() as pubsub:
        assert pubsub.publisher.get_topic(topic=topic).name == topic
        assert pubsub.subscriber.get_subscription(subscription=subscription) == before


def test_what_was_changed_or_deleted_stays_so(restart: Restart) -> None:
    with restart() as pubsub:
        topic = pubsub.topic()
        changed, deleted = pubsub.subscription(topic, "changed"), pubsub.subscription(topic, "deleted")
        elsewhere = types.PushConfig(push_endpoint="http://127.0.0.1:1/elsewhere")
        pubsub.subscriber.modify_push_config(subscription=changed, push_config=elsewhere)
        pubsub.subscriber.delete_subscription(subscription=deleted)
    with restart() as pubsub:
        assert pubsub.subscriber.get_subscription(subscription=changed).push_config == elsewhere
        with pytest.raises(exceptions.NotFound):
            pubsub.subscriber.get_subscription(subscription=deleted)


def test_unacknowledged_messages_come_again_and_acknowledged_ones_do_not(restart: Restart) -> None:
    with restart() as pubsub:
        topic = pubsub.topic()
        subscription = pubsub.subscription(topic)
        pubsub.publish(topic, b"settled")
        pubsub.ack(subscription, pubsub.pull_one(subscription))
        pubsub.publish(topic, b"leased")
        pubsub.pull_one(subscription)
        message_id = pubsub.publish(topic, b"\x00\xff", colour="red")
    with restart() as pubsub:
        leased, waiting = pubsub.pull(subscription)
    assert leased.message.data == b"leased"
    assert waiting.message.message_id == message_id
    assert waiting.message.data == b"\x00\xff"
    assert dict(waiting.message.attributes) == {"colour": "red"}


def test_a_message_that_was_being_pushed_is_pushed_again(restart: Restart) -> None:
    with Receiver() as receiver:
        receiver.answer = lambda received: 500
        with restart() as pubsub:
            topic = pubsub.topic()
            push_config = types.PushConfig(push_endpoint=receiver.url)
            pubsub.subscription(topic, push_config=push_config, retry_policy=backoff(600, 600))
            message_id = pubsub.publish(topic, b"x")
            receiver.wait_for(1)
        receiver.answer = lambda received: 204
        with restart():
            received = receiver.wait_for(2)
    assert [one.message["messageId"] for one in received] == [message_id, message_id]


def test_attempts_go_on_being_counted(restart: Restart) -> None:
    with restart() as pubsub:
        topic, dead_letters = pubsub.topic(), pubsub.topic("dead-letters")
        policy = types.DeadLetterPolicy(dead_letter_topic=dead_letters, max_delivery_attempts=5)
        subscription = pubsub.subscription(topic, dead_letter_policy=policy)
        pubsub.publish(topic, b"x")
        assert pubsub.pull_one(subscription).delivery_attempt == 1
    with restart() as pubsub:
        assert pubsub.pull_one(subscription).delivery_attempt == 2


@contextmanager
def another_process(journal: Path) -> Iterator[str]:
    """Run a server in a process of its own, give its address, and kill it in the end."""
    process = subprocess.Popen([sys.executable, "-c", SERVER, journal], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    with process.stdout:
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()
            process.wait()


def test_nothing_that_was_published_is_lost_when_the_process_is_killed(
    restart: Restart, journal: Path
) -> None:
    with another_process(journal) as address, clients(address) as (publisher, subscriber):
        pubsub = Bench(publisher, subscriber)
        pubsub.project = "test-restarts"
        topic = pubsub.topic()
        subscription = pubsub.subscription(topic)
        pubsub.publish(topic, b"safe")
    with restart() as pubsub:
        assert pubsub.pull_one(subscription).message.data == b"safe"


def test_messages_of_a_deleted_subscription_do_not_come_to_its_namesake(restart: Restart) -> None:
    with restart() as pubsub:
        topic = pubsub.topic()
        subscription = pubsub.subscription(topic)
        pubsub.publish(topic, b"old")
        pubsub.subscriber.delete_subscription(subscription=subscription)
        pubsub.subscription(topic)
    with restart() as pubsub:
        pubsub.publish(topic, b"new")
        assert pubsub.pull_one(subscription).message.data == b"new"


def test_a_restart_leaves_what_is_alive_in_the_file_and_nothing_else(restart: Restart, journal: Path) -> None:
    with restart() as pubsub:
        topic = pubsub.topic()
        subscription = pubsub.subscription(topic)
        for number in range(5):
            pubsub.publish(topic, str(number).encode())
        pubsub.ack(subscription, *pubsub.pull(subscription, 4))
    with restart():
        kinds = [json.loads(line)["kind"] for line in journal.read_text().splitlines()]
    assert kinds == ["topic", "subscription", "held"]


def test_a_line_cut_short_by_the_death_of_the_process_is_forgotten(restart: Restart, journal: Path) -> None:
    with restart() as pubsub:
        topic = pubsub.topic()
    with journal.open("a") as file:
        file.write('{"kind":"topic","id":"proj')
    with restart() as pubsub:
        assert pubsub.publisher.get_topic(topic=topic).name == topic
    assert len(journal.read_text().splitlines()) == 1


def test_a_damaged_line_is_an_error_that_names_it(restart: Restart, journal: Path) -> None:
    with restart() as pubsub:
        pubsub.topic()
    journal.write_text("nonsense\n" + journal.read_text())
    with pytest.raises(ValueError, match=f"line 1 of the Pub/Sub journal {journal} is damaged"):
        PubSubServer(journal=journal)


def test_two_servers_do_not_share_a_journal(restart: Restart, journal: Path) -> None:
    with restart() as pubsub:
        topic = pubsub.topic()
        with pytest.raises(OSError, match="another server uses the Pub/Sub journal"):
            PubSubServer(journal=journal)
    with restart() as pubsub:
        assert pubsub.publisher.get_topic(topic=topic).name == topic


def test_the_file_is_for_its_owner_alone(restart: Restart, journal: Path) -> None:
    with restart():
        assert journal.stat().st_mode & 0o777 == 0o600


def test_an_api_key_is_kept_as_long_as_its_message_and_no_longer(restart: Restart, journal: Path) -> None:
    with restart() as pubsub:
        topic = pubsub.topic()
        done, waiting = (pubsub.subscription(topic, name) for name in ("done", "waiting"))
        for key in ("acme_api_first", "acme_api_second"):
            pubsub.publisher.publish(topic, b"run", api_key=key).result()
        pulled = pubsub.subscriber.pull(subscription=done, max_messages=10, timeout=5).received_messages
        assert "acme_api_first" in journal.read_text()
        pubsub.subscriber.acknowledge(subscription=done, ack_ids=[each.ack_id for each in pulled])
        assert journal.read_text().count("acme_api_first") == 1
    with restart() as pubsub:
        pulled = pubsub.subscriber.pull(subscription=waiting, max_messages=10, timeout=5).received_messages
        keys = sorted(each.message.attributes["api_key"] for each in pulled)
        assert keys == ["acme_api_first", "acme_api_second"]
        pubsub.subscriber.delete_subscription(subscription=waiting)
        assert "acme_api_" not in journal.read_text()
    with restart():
        assert journal.read_text()


def test_a_message_of_an_earlier_journal_is_read_without_its_ordering_key(
    restart: Restart, journal: Path
) -> None:
    with restart() as pubsub:
        topic = pubsub.topic()
        subscription = pubsub.subscription(topic)
        pubsub.publish(topic, b"kept")
    records = [json.loads(line) for line in journal.read_text().splitlines()]
    records[-1]["message"]["ordering_key"] = ""
    journal.write_text("".join(json.dumps(record) + "\n" for record in records))
    with restart() as pubsub:
        assert pubsub.pull_one(subscription).message.data == b"kept"


def test_a_subscription_of_an_earlier_journal_that_is_not_served_any_more_is_named(
    restart: Restart, journal: Path
) -> None:
    with restart() as pubsub:
        pubsub.subscription(pubsub.topic())
    records = [json.loads(line) for line in journal.read_text().splitlines()]
    records[-1]["resource"]["filter"] = "attributes:state"
    journal.write_text("".join(json.dumps(record) + "\n" for record in records))
    with pytest.raises(
        ValueError, match=r"subscriptions/readers in the Pub/Sub journal: not served .* filter"
    ):
        PubSubServer(journal=journal)
