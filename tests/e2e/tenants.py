"""A tenant as the tests play it: it onboards, uploads, runs and looks, over HTTP."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self
from uuid import uuid4

import requests

# On a machine that has much else to do.
ANSWER_SECONDS = 300.0
RUN_SECONDS = 120.0
ENDED = {"COMPLETED", "FAILED", "CANCELLED"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer, whatever it says."""

    status: int
    body: Any
    headers: Mapping[str, str]


def ask(url: str, method: str, path: str, body: Any = None, **headers: str) -> Answer:
    """Call the API; a body that is text is sent as YAML, any other as JSON. `_` in header names is `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    given = {"json": body}
    if isinstance(body, str):
        given, named = {"data": body.encode()}, {"Content-Type": "application/yaml"} | named
    answer = requests.request(method, f"{url}{path}", headers=named, timeout=ANSWER_SECONDS, **given)
    return Answer(status=answer.status_code, body=answer.json(), headers=answer.headers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """A tenant with its key."""

    url: str
    id: str
    key: str

    @classmethod
    def onboard(cls, url: str, plan: str = "SCALE") -> Self:
        """Make a tenant of a new name."""
        tenant_id = f"t_{uuid4().hex[:8]}"
        body = {
            "tenant_id": tenant_id,
            "company_name": "Test Inc",
            "admin_email": "admin@test.example",
            "subscription_plan": plan,
        }
        answer = ask(url, "POST", "/api/v1/tenants/onboard", body)
        assert answer.status == 201, answer.body
        return cls(url=url, id=tenant_id, key=answer.body["api_key"])

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Call the API with the tenant's key."""
        return ask(self.url, method, path, body, X_API_Key=self.key, **headers)

    def upload(self, config_id: str, *steps: Mapping[str, Any], **document: Any) -> Answer:
        """Save a pipeline of these steps; it must be without fault."""
        body = {"pipeline": {"name": config_id}, "steps": steps} | document
        answer = self.ask("POST", f"/api/v1/pipelines/configs/{config_id}", body)
        assert answer.status in {200, 201}, answer.body
        return answer

    def run(self, config_id: str, body: Mapping[str, Any] | None = None, **headers: str) -> str:
        """Start a run, which must be admitted, and return its ID."""
        answer = self.ask("POST", f"/api/v1/pipelines/run/{config_id}", body or {}, **headers)
        assert answer.status == 202, answer.body
        return str(answer.body["pipeline_logging_id"])

    def status(self, run_id: str) -> Mapping[str, Any]:
        """Look at a run."""
        answer = self.ask("GET", f"/api/v1/pipelines/status/{run_id}")
        assert answer.status == 200, answer.body
        return dict(answer.body)

    def ended(self, run_id: str) -> Mapping[str, Any]:
        """Wait for a run's end and return its status."""
        deadline = time.monotonic() + RUN_SECONDS
        while time.monotonic() < deadline:
            # Each look is a query, on the machine that carries out the run.
            time.sleep(0.5)
            if (status := self.status(run_id))["status"] in ENDED:
                return status
        raise AssertionError(f"the run does not end: {status}")

    def completed(self, config_id: str, body: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        """Run a pipeline, which must complete, and return its status."""
        status = self.ended(self.run(config_id, body))
        assert status["status"] == "COMPLETED", status
        return status


def query_step(step_id: str, sql: str, target: str, **config: Any) -> dict[str, Any]:
    """Write a step that fills a table of the tenant's own."""
    return {
        "id": step_id,
        "ps_type": "bq_etl.query",
        "config": {"source_query": sql, "target_table": target, **config},
    }


def steps_of(status: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """List a run's steps, level by level."""
    return [step for level in status["levels"] for step in level["steps"]]
