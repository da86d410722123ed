"""Topics, on every Pub/Sub server."""

import pytest
from google.api_core import exceptions

from tests.contract.pubsub.bench import Bench


def test_a_created_topic_can_be_read_and_listed(pubsub: Bench) -> None:
    topic = pubsub.topic()
    assert pubsub.publisher.get_topic(topic=topic).name == topic
    assert [found.name for found in pubsub.publisher.list_topics(project=f"projects/{pubsub.project}")] == [
        topic
    ]


def test_a_topic_is_created_once(pubsub: Bench) -> None:
    pubsub.topic()
    with pytest.raises(exceptions.AlreadyExists):
        pubsub.topic()


def test_topics_of_another_project_are_not_listed(pubsub: Bench) -> None:
    pubsub.topic()
    assert list(pubsub.publisher.list_topics(project=f"projects/{pubsub.project}-2")) == []


def test_a_long_list_of_topics_comes_in_pages(pubsub: Bench) -> None:
    topics = [pubsub.topic(f"topic-{number}") for number in range(5)]
    request = {"project": f"projects/{pubsub.project}", "page_size": 2}
    pages = [page.topics for page in pubsub.publisher.list_topics(request=request).pages]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert sorted(topic.name for page in pages for topic in page) == topics


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
        pubsub.publisher.delete_topic(topic=missing)
    with pytest.raises(exceptions.NotFound):
        pubsub.publish(missing, b"lost")


def test_an_empty_message_is_refused(pubsub: Bench) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        pubsub.publish(pubsub.topic(), b"")


def test_message_ids_differ(pubsub: Bench) -> None:
    topic = pubsub.topic()
    assert len({pubsub.publish(topic, b"same") for _ in range(10)}) == 10


def test_a_topic_lists_its_subscriptions(pubsub: Bench) -> None:
    topic, other = pubsub.topic(), pubsub.topic("invoices")
    subscriptions = [pubsub.subscription(topic, f"readers-{number}") for number in range(3)]
    pubsub.subscription(other, "others")
    assert sorted(pubsub.publisher.list_topic_subscriptions(topic=topic)) == subscriptions


def test_a_subscription_outlives_its_topic_with_what_it_holds(pubsub: Bench) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    pubsub.publish(topic, b"kept")
    pubsub.publisher.delete_topic(topic=topic)
    assert pubsub.subscriber.get_subscription(subscription=subscription).topic == "_deleted-topic_"
    assert pubsub.pull_one(subscription).message.data == b"kept"
