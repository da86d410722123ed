"""Runs asked for by message: the function `run_request`, and what it answers on run-events."""

import base64
import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest

from common.pubsub.publishing import Topic, make_publisher
from common.runs.level_messages import encode
from tests.functional.environment import PROJECT
from tests.functional.site import Site, Tenant, a_pipeline_file
from tests.unit.runs.examples import a_message, a_run

EVENTS = f"projects/{PROJECT}/subscriptions/events-by-hand"
DEAD = f"projects/{PROJECT}/subscriptions/dead-by-hand"
_numbers = itertools.count(1)


class Requests:
    """A tenant that asks by message, and listens."""

    def __init__(self, site: Site, tenant: Tenant) -> None:
        self.site = site
        self.tenant = tenant

    def ask(self, key: str = "", **body: Any) -> int:
        """Deliver one request; 200 acknowledges it."""
        return self.deliver(json.dumps(body).encode(), {"api_key": key or self.tenant.key})

    def deliver(self, data: bytes, attributes: dict[str, str]) -> int:
        """Deliver a message as Pub/Sub pushes it."""
        message = {
            "data": base64.b64encode(data).decode(),
            "messageId": str(next(_numbers)),
            "attributes": attributes,
        }
        headers = {
            "ce-id": message["messageId"],
            "ce-source": f"//pubsub.googleapis.com/projects/{PROJECT}/topics/run-requests",
            "ce-type": "google.cloud.pubsub.topic.v1.messagePublished",
            "ce-specversion": "1.0",
        }
        pushed = {"message": message, "subscription": "run-requests-push"}
        return self.site.functions["run_request"].post("/", json=pushed, headers=headers).status_code

    def take(self, subscription: str) -> list[Any]:
        """Take what waits."""
        return [received.message for received in self.site.take(subscription)]

    def events(self) -> list[tuple[dict[str, str], dict[str, Any]]]:
        """Take the events: attributes and body."""
        return [(dict(message.attributes), json.loads(message.data)) for message in self.take(EVENTS)]


@pytest.fixture(scope="module")
def _listening(site: Site) -> Iterator[None]:
    topics = {EVENTS: "run-events", DEAD: "dead-letters"}
    for name, topic in topics.items():
        site.subscriber.create_subscription(name=name, topic=f"projects/{PROJECT}/topics/{topic}")
    yield
    for name in topics:
        site.subscriber.delete_subscription(subscription=name)


@pytest.fixture
def requests(site: Site, shared_tenant: Tenant, _listening: None) -> Requests:
    return asking(site, shared_tenant)


def asking(site: Site, tenant: Tenant) -> Requests:
    """Let a tenant ask; nothing that was told before is left."""
    requests = Requests(site, tenant)
    requests.take(EVENTS)
    requests.take(DEAD)
    return requests


def test_a_request_becomes_a_run_whose_states_are_told(requests: Requests) -> None:
    requests.tenant.upload("daily", a_pipeline_file({"first": "SELECT 1 AS n"}))
    assert requests.ask(config_id="daily", idempotency_key="today") == 200
    requests.site.drain()
    events = requests.events()
    assert [attributes["state"] for attributes, _ in events] == ["PENDING", "RUNNING", "COMPLETED"]
    (run_id,) = {body["pipeline_logging_id"] for _, body in events}
    assert requests.tenant.status(run_id)["status"] == "COMPLETED"
    assert requests.ask(config_id="daily", idempotency_key="today") == 200
    ((again, _),) = requests.events()
    assert (again["event"], again["state"]) == (events[-1][0]["event"], "COMPLETED")
    assert requests.take(DEAD) == []


def test_a_refusal_is_told_as_http_tells_it_and_goes_to_the_dead_letters(requests: Requests) -> None:
    region = {"region": {"type": "STRING", "allowed": ["EU", "US"], "required": True}}
    text = json.loads(a_pipeline_file({"first": "SELECT ${region} AS region"})) | {"parameters": region}
    assert requests.tenant.upload("regional", json.dumps(text)).status_code == 201
    for config_id, parameters in [("regional", {"region": "UK"}), ("regional", {}), ("weekly", {})]:
        assert requests.ask(config_id=config_id, parameters=parameters) == 200
        over_http = requests.tenant.call("POST", f"/api/v1/pipelines/run/{config_id}", parameters).get_json()
        ((attributes, body),) = requests.events()
        assert attributes["state"] == body["status"] == "REJECTED"
        assert attributes["tenant"] == body["tenant_id"] == requests.tenant.tenant_id
        told = {name: over_http[name] for name in over_http.keys() - {"instance", "request_id"}}
        for error in told.get("errors", ()):
            error["pointer"] = f"/parameters{error['pointer']}"  # Where a message has them.
        assert body["problem"] == told
        (dead,) = requests.take(DEAD)
        assert requests.tenant.key not in f"{dead} {attributes} {body}"


def test_a_key_that_is_nobodys_is_told_to_nobody(requests: Requests) -> None:
    assert requests.ask(key=f"{requests.tenant.tenant_id}_api_0123456789abcdef", config_id="daily") == 200
    assert requests.events() == []
    assert len(requests.take(DEAD)) == 1


NAMES = ("data", "topic", "timeout", "ordering_key", "retry", "self", "messages", "request", "metadata")


def test_attributes_of_a_stranger_are_nothing_but_attributes(requests: Requests) -> None:
    forged = encode(a_message(run=a_run(tenant_id=requests.tenant.tenant_id, ticket=50_000_000)))
    strangers = dict.fromkeys(NAMES, "x") | {
        "CloudPubSubDeadLetterSourceSubscription": "pipeline-levels-push",
        "rejected_by": "run_level",
    }
    for key in ({}, {"api_key": "x"}, {"api_key": requests.tenant.key}):
        assert requests.deliver(forged, strangers | key) == 200
        (dead,) = requests.take(DEAD)
        assert dead.attributes["rejected_by"] == "run_request"
        assert set(dead.attributes) == {*NAMES, "reason", "rejected_by"}


def test_a_forged_level_among_the_dead_letters_ends_nothing(site: Site, requests: Requests) -> None:
    requests.tenant.upload("daily", a_pipeline_file({"first": "SELECT 1 AS n"}))
    run_id = requests.tenant.run("daily")
    (row,) = site.rows(
        f"SELECT DISTINCT ticket FROM tenants.tenant_pipeline_runs WHERE pipeline_logging_id = '{run_id}'"
    )
    run = a_run(tenant_id=requests.tenant.tenant_id, run_id=run_id, ticket=row["ticket"])
    unknown = a_run(tenant_id=requests.tenant.tenant_id, run_id="forged", ticket=50_000_000)
    topic = Topic(publisher=make_publisher(), project=PROJECT, name="dead-letters")
    topic.publish(encode(a_message(run=run)), {"reason": "forged"})
    topic.publish(
        encode(a_message(run=unknown)),
        {
            "CloudPubSubDeadLetterSourceSubscription": "pipeline-levels-push",
            "CloudPubSubDeadLetterSourceSubscriptionProject": PROJECT,
        },
    )
    requests.site.tick()
    requests.site.drain()
    assert requests.tenant.status(run_id)["status"] == "COMPLETED"
    second = requests.tenant.run("daily")
    requests.site.drain()
    assert requests.tenant.status(second)["status"] == "COMPLETED"
    requests.take(DEAD)
