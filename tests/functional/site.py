"""The functions' own `main.py` files on local servers, and a hand that delivers their messages.

Nothing is pushed by itself: a test takes level messages out of Pub/Sub and posts them to `run_level`, once or
often, now or later, so that every delivery is the test's own.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from google.cloud import pubsub_v1
from werkzeug.test import Client, TestResponse

from common.times import utc_now
from local.bigquery import LocalBigQuery
from local.gateway import load_functions
from local.platform import OPEN_BUCKET
from local.pubsub import PubSubServer
from tests.functional.environment import ADMIN_KEY, PROJECT

CONFIG = Path(__file__).parents[2] / "configs" / "setup" / "bq_etl_test.yml"
PATIENCE_SECONDS = 30
LEVELS = f"projects/{PROJECT}/subscriptions/levels-by-hand"


class Site:
    """The platform without its gateway and without pushes."""

    def __init__(self, bigquery: LocalBigQuery, pubsub: PubSubServer, buckets: Path) -> None:
        self.bigquery = bigquery
        self.buckets = buckets
        """The folder whose folders are buckets of Cloud Storage."""
        self.pubsub = pubsub
        self.functions = {name: Client(app) for name, app in load_functions().items()}
        self.subscriber = pubsub_v1.SubscriberClient()

    def bootstrap(self) -> None:
        """Set the central dataset up."""
        answer = self.admin("POST", "/admin/bootstrap", {})
        assert answer.status_code == 200, answer.text

    def admin(self, method: str, path: str, body: Any = None) -> TestResponse:
        """Call the operators' API."""
        return self._call("admin", method, path, body, {"X-Admin-Key": ADMIN_KEY})

    def onboard(self, tenant_id: str, plan: str = "SCALE") -> "Tenant":
        """Make a tenant."""
        answer = self._call(
            "onboarding",
            "POST",
            "/api/v1/tenants/onboard",
            {
                "tenant_id": tenant_id,
                "company_name": "Acme",
                "admin_email": "a@acme.example",
                "subscription_plan": plan,
            },
            {},
        )
        assert answer.status_code == 201, answer.text
        return Tenant(self, tenant_id, answer.get_json()["api_key"])

    def take_levels(self) -> list[dict[str, Any]]:
        """Take the level messages that wait, as Pub/Sub would push them."""
        return [_pushed(received.message) for received in self.take(LEVELS)]

    def take(self, subscription: str) -> list[pubsub_v1.types.ReceivedMessage]:
        """Take what waits in a subscription.

        Whoever publishes waits until the server has the message: where it holds none, none is on its way.
        """
        if not self.pubsub.counts()[subscription].held:
            return []
        pulled = self.subscriber.pull(subscription=subscription, max_messages=100, timeout=PATIENCE_SECONDS)
        acknowledged = [received.ack_id for received in pulled.received_messages]
        self.subscriber.acknowledge(subscription=subscription, ack_ids=acknowledged)
        return list(pulled.received_messages)

    def deliver(self, message: dict[str, Any]) -> int:
        """Post a level message to `run_level` once; 200 acknowledges it."""
        headers = {
            "ce-id": message["message"]["messageId"],
            "ce-source": f"//pubsub.googleapis.com/projects/{PROJECT}/topics/pipeline-levels",
            "ce-type": "google.cloud.pubsub.topic.v1.messagePublished",
            "ce-specversion": "1.0",
        }
        return self.functions["run_level"].post("/", json=message, headers=headers).status_code

    def deliver_until_acknowledged(self, message: dict[str, Any], most: int = 10) -> None:
        """Post a level message as Pub/Sub would: again and again."""
        assert any(self.deliver(message) == 200 for _ in range(most)), "the message is never acknowledged"

    def drain(self) -> int:
        """Deliver what waits, and what comes of it, until nothing does; count the messages."""
        delivered = 0
        while messages := self.take_levels():
            for message in messages:
                delivered += 1
                self.deliver_until_acknowledged(message)
        return delivered

    def tick(self) -> dict[str, Any]:
        """Let the dispatcher do one minute's work."""
        answer: dict[str, Any] = self.functions["dispatcher"].post("/").get_json()
        return answer

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Query BigQuery as its owner."""
        from common.wiring import ADAPTERS  # noqa: PLC0415 - reads the environment, which is set by now

        return [dict(row.items()) for row in ADAPTERS.platform_client.query_and_wait(sql)]

    def _call(
        self, function: str, method: str, path: str, body: Any, headers: dict[str, str]
    ) -> TestResponse:
        return self.functions[function].open(path, method=method, json=body, headers=headers)


class Tenant:
    """One tenant's calls, with its key."""

    def __init__(self, site: Site, tenant_id: str, key: str) -> None:
        self.site = site
        self.tenant_id = tenant_id
        self.key = key

    @property
    def files(self) -> Path:
        """The folder of its own in the bucket whose files every tenant may load and write."""
        return self.site.buckets / OPEN_BUCKET / self.tenant_id

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        """Call the tenant API of pipelines."""
        return self.site._call("pipelines", method, path, body, {"X-API-Key": self.key} | headers)

    def own(self, method: str, path: str, body: Any = None) -> TestResponse:
        """Call the tenant API of tenants themselves."""
        return self.site._call("onboarding", method, path, body, {"X-API-Key": self.key})

    def upload(self, config_id: str, text: str) -> TestResponse:
        """Upload a pipeline file."""
        return self.site.functions["pipelines"].post(
            f"/api/v1/pipelines/configs/{config_id}", data=text, headers={"X-API-Key": self.key}
        )

    def run(self, config_id: str, body: Any = None, **headers: str) -> str:
        """Start a run and return its ID."""
        answer = self.call("POST", f"/api/v1/pipelines/run/{config_id}", body or {}, **headers)
        assert answer.status_code in {200, 202}, answer.text
        run_id: str = answer.get_json()["pipeline_logging_id"]
        return run_id

    def subscribe(self, **changes: Any) -> None:
        """Append a state of the tenant's subscription, as its operator does by hand."""
        from common.wiring import ADAPTERS  # noqa: PLC0415 - reads the environment, which is set by now

        records = ADAPTERS.tenant_records
        found = records.find_subscription(self.tenant_id)
        assert found is not None
        records.append_subscription(replace(found, **changes), recorded_at=utc_now())

    def status(self, run_id: str) -> dict[str, Any]:
        """Look at a run."""
        answer: dict[str, Any] = self.call("GET", f"/api/v1/pipelines/status/{run_id}").get_json()
        return answer


def a_pipeline_file(*levels: dict[str, str], target: str = "WRITE_APPEND") -> str:
    """Write a pipeline file: per level the SQL of each step by its ID, which is its table too."""
    return json.dumps(
        {
            "pipeline": {"name": "Test"},
            "dependencies": {
                f"level_{number}": [{"step": step_id} for step_id in level]
                for number, level in enumerate(levels, start=1)
            },
            "steps": [
                {
                    "id": step_id,
                    "ps_type": "bq_etl.query",
                    "retry": {"attempts": 3, "backoff_seconds": 1},
                    "config": {"source_query": sql, "target_table": step_id, "write_disposition": target},
                }
                for level in levels
                for step_id, sql in level.items()
            ],
        }
    )


def steps_of(status: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what is told of the steps of a run, by their IDs."""
    return {step["step_id"]: step for level in status["levels"] for step in level["steps"]}


def _pushed(message: Any) -> dict[str, Any]:
    return {
        "message": {
            "data": base64.b64encode(message.data).decode(),
            "messageId": message.message_id,
            "attributes": dict(message.attributes),
        },
        "subscription": LEVELS,
    }


def numbered(prefix: str) -> Iterator[str]:
    """Name tenants: the prefix and a number, from 1."""
    number = 0
    while True:
        number += 1
        yield f"{prefix}_{number}"
