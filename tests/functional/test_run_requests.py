"""Runs asked for by message: the function `run_request`, and what it answers on run-events."""

import base64
import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.functional.environment import PROJECT
from tests.functional.site import Site, Tenant, a_pipeline_file

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
        message = {
            "data": base64.b64encode(json.dumps(body).encode()).decode(),
            "messageId": str(next(_numbers)),
            "attributes": {"api_key": key or self.tenant.key},
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
def requests(site: Site, tenant: Tenant, _listening: None) -> Requests:
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
    assert requests.tenant.upload("daily", json.dumps(text)).status_code == 201
    for config_id, parameters in [("daily", {"region": "UK"}), ("daily", {}), ("weekly", {})]:
        assert requests.ask(config_id=config_id, parameters=parameters) == 200
        over_http = requests.tenant.call("POST", f"/api/v1/pipelines/run/{config_id}", parameters).get_json()
        ((attributes, body),) = requests.events()
        assert attributes["state"] == body["status"] == "REJECTED"
        assert attributes["tenant"] == body["tenant_id"] == requests.tenant.tenant_id
        told = {name: over_http[name] for name in over_http.keys() - {"instance", "request_id"}}
        assert body["problem"] == told
        (dead,) = requests.take(DEAD)
        assert requests.tenant.key not in f"{dead} {attributes} {body}"


def test_a_key_that_is_nobodys_is_told_to_nobody(requests: Requests) -> None:
    assert requests.ask(key=f"{requests.tenant.tenant_id}_api_0123456789abcdef", config_id="daily") == 200
    assert requests.events() == []
    assert len(requests.take(DEAD)) == 1
