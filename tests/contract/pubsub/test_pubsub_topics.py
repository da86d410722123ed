"""Topics, on every Pub/Sub server."""

import pytest
from google.api_core import exceptions

from tests.contract.pubsub.bench import Bench


def test_a_created_topic_can_be_read(pubsub: Bench) -> None:
    topic = pubsub.topic()
    assert pubsub.publisher.get_topic(topic=topic).name == topic


def test_a_topic_is_created_once(pubsub: Bench) -> None:
    pubsub.topic()
    with pytest.raises(exceptions.AlreadyExists):
        pubsub.topic()


@pytest.mark.parametrize(
    "name", ["orders", "projects/p/orders", "projects/project-1/topics/1st", "projects/project-1/topics/ab"]
)
def test_a_malformed_name_is_refused(pubsub: Bench, name: str) -> None:
    with pytest.raises(exceptions.InvalidArgument, match="name"):
        pubsub.publisher.create_topic(name=name)


def test_a_missing_topic_is_not_found(pubsub: Bench) -> None:
    missing = pubsub.topic_name("missing")
    with pytest.raises(exceptions.NotFound):
        pubsub.publisher.get_topic(topic=missing)
    with pytest.raises(exceptions.NotFound):
        pubsub.publish(missing, b"lost")


def test_an_empty_message_is_refused(pubsub: Bench) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        pubsub.publish(pubsub.topic(), b"")


def test_message_ids_differ(pubsub: Bench) -> None:
    topic = pubsub.topic()
    assert len({pubsub.publish(topic, b"same") for _ in range(10)}) == 10
