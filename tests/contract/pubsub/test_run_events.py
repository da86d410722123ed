"""Run events and level messages of many runs at once, on every Pub/Sub server."""

import json

import pytest
from google.pubsub_v1 import PublisherClient

from common.errors import MessageRefused, NotFound
from common.problems import problem_of
from common.public_urls import PublicUrls
from common.pubsub.events import EventTopic
from common.pubsub.publishing import LevelTopic, Topic
from common.runs.events import RejectedRequest, RunEvent
from common.runs.level_messages import decode
from common.runs.run import RunStatus, Trigger, TriggerType
from tests.contract.pubsub.bench import Bench
from tests.contract.pubsub.embedded import serving
from tests.fakes.clock import START
from tests.unit.runs.examples import a_message, a_run


def a_topic(pubsub: Bench, name: str) -> Topic:
    publisher = PublisherClient(transport=pubsub.publisher.transport)
    return Topic(publisher=publisher, project=pubsub.project, name=name)


def test_an_event_says_which_run_came_to_which_state_and_where_to_look(pubsub: Bench) -> None:
    readers = pubsub.subscription(pubsub.topic("run-events"))
    events = EventTopic(
        topic=a_topic(pubsub, "run-events"), public_urls=PublicUrls(own="https://convergence.example.com")
    )
    event = RunEvent(run=a_run(), status=RunStatus.FAILED, occurred_at=START)
    events.publish_events([event])
    message = pubsub.pull_one(readers).message
    assert dict(message.attributes) == {
        "event": event.event_id,
        "tenant": "acme",
        "config": "daily",
        "run": a_run().run_id,
        "state": "FAILED",
        "trigger": "api",
    }
    body = json.loads(message.data)
    assert (body["tenant_id"], body["pipeline_logging_id"], body["status"]) == (
        "acme",
        a_run().run_id,
        "FAILED",
    )
    assert body["links"]["status"].endswith(f"/api/v1/pipelines/status/{a_run().run_id}")


def test_a_refusal_says_who_asked_for_what_and_why_not(pubsub: Bench) -> None:
    readers = pubsub.subscription(pubsub.topic("run-events"))
    events = EventTopic(
        topic=a_topic(pubsub, "run-events"), public_urls=PublicUrls(own="https://convergence.example.com")
    )
    rejected = RejectedRequest(
        tenant_id="acme",
        request_id="17",
        config_id="daily",
        idempotency_key="today",
        trigger=Trigger(type=TriggerType.PUBSUB, by="run-requests", api_key_id="k1"),
        problem=problem_of(NotFound("there is no pipeline config 'acme_api_0123456789abcdef'")),
        occurred_at=START,
    )
    events.publish_events([rejected])
    message = pubsub.pull_one(readers).message
    assert dict(message.attributes) == {
        "event": rejected.event_id,
        "tenant": "acme",
        "config": "daily",
        "request": "17",
        "state": "REJECTED",
        "problem": "not-found",
        "trigger": "pubsub",
    }
    body = json.loads(message.data)
    assert (body["tenant_id"], body["request_id"], body["status"]) == ("acme", "17", "REJECTED")
    assert body["problem"]["type"] == "urn:problem-type:convergence:not-found"
    assert body["links"]["history"].endswith("/api/v1/pipelines/history?pipeline_id=daily")
    assert "0123456789abcdef" not in str(body)


def test_the_first_levels_of_many_runs_are_all_sent(pubsub: Bench) -> None:
    readers = pubsub.subscription(pubsub.topic("pipeline-levels"))
    topic = a_topic(pubsub, "pipeline-levels")
    levels = LevelTopic(topic=topic)
    levels.publish_levels([a_message(run=a_run(run_id=f"run-{number}")) for number in range(120)])
    seen: set[str] = set()
    while len(seen) < 120:
        received = pubsub.pull(readers, 100)
        seen |= {decode(one.message.data).run.run_id for one in received}
        pubsub.ack(readers, *received)
    assert seen == {f"run-{number}" for number in range(120)}


def test_many_messages_go_in_requests_that_pubsub_takes(pubsub: Bench) -> None:
    readers = pubsub.subscription(pubsub.topic("run-events"))
    a_topic(pubsub, "run-events").publish_all([(b"x" * 2_000_000, {}) for _ in range(6)])
    sizes: list[int] = []
    while len(sizes) < 6:
        received = pubsub.pull(readers, 1)
        sizes += [len(one.message.data) for one in received]
        pubsub.ack(readers, *received)
    assert sizes == [2_000_000] * 6


def test_attributes_may_be_called_what_a_client_calls_its_arguments(pubsub: Bench) -> None:
    readers = pubsub.subscription(pubsub.topic("dead-letters"))
    names = ("self", "topic", "data", "ordering_key", "retry", "timeout", "messages", "request", "metadata")
    a_topic(pubsub, "dead-letters").publish(b"kept", dict.fromkeys(names, "a stranger's"))
    message = pubsub.pull_one(readers).message
    assert (message.data, dict(message.attributes)) == (b"kept", dict.fromkeys(names, "a stranger's"))


@pytest.mark.parametrize(
    "attributes",
    [
        {f"name{number}": "" for number in range(101)},
        {"name": "x" * 1025},
        {"name": "é" * 600},
        {"x" * 257: ""},
        {"googclient": ""},
        {"": "nameless"},
        {"name": "\ud800"},
        {"\udfff": "name"},
    ],
    ids=["too many", "long value", "long in bytes", "long name", "reserved", "nameless", "half", "half name"],
)
def test_what_pubsub_will_never_take_is_told_from_what_may_pass(attributes: dict[str, str]) -> None:
    # Google's emulator takes what the service refuses.
    with serving() as (_, pubsub):
        pubsub.topic("dead-letters")
        with pytest.raises(MessageRefused, match="Pub/Sub takes no such message for dead-letters"):
            a_topic(pubsub, "dead-letters").publish(b"kept", attributes)
