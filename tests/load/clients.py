"""A client of a tenant's: it uploads a pipeline, runs it, watches it, and looks at what came of it."""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import requests

from tests.e2e.tenants import ANSWER_SECONDS, ENDED, Tenant, query_step

RUN_SECONDS = 1200.0
PAUSE_SECONDS = 1.0
SERVER_ERROR = 500


@dataclass(slots=True)
class Answers:
    """All answers of a load: how many of each kind, what is wrong, and how long the slowest took."""

    counts: Counter[tuple[str, int]] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    slowest_seconds: float = 0.0
    _lock: Lock = field(default_factory=Lock)

    def note(self, what: str, status: int, body: object, seconds: float) -> None:
        """Count an answer; one of the server's errors is wrong, however busy it is."""
        with self._lock:
            self.counts[what, status] += 1
            self.slowest_seconds = max(self.slowest_seconds, seconds)
            if status >= SERVER_ERROR:
                self.wrong.append(f"{what}: {status} {body}")

    def complain(self, what: str) -> None:
        """Note what is wrong beside answers."""
        with self._lock:
            self.wrong.append(what)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadClient:
    """One client of a tenant, with a pipeline and tables of its own."""

    tenant: Tenant
    number: int
    answers: Answers

    def work(self) -> None:
        """Do all that a client does in a day."""
        config_id = f"load_{self.number}"
        ones, counts = f"ones_{self.number}", f"counts_{self.number}"
        steps = [
            query_step("a", "SELECT ${n} AS n", ones, write_disposition="WRITE_APPEND"),
            query_step("b", f"SELECT COUNT(*) AS n FROM {ones}", counts),
        ]
        parameters = {"n": {"type": "INT64", "default": 1}}
        document = {"pipeline": {"name": config_id}, "parameters": parameters, "steps": steps}
        self._ask("upload", "POST", f"configs/{config_id}", document)
        run = self._ask("run", "POST", f"run/{config_id}", {"parameters": {"n": self.number}, "queue": True})
        if "pipeline_logging_id" not in run:
            self.answers.complain(f"{config_id} of {self.tenant.id} was not run: {run}")
            return
        self._watch(str(run["pipeline_logging_id"]))
        self._ask("configs", "GET", "configs")
        self._ask("history", "GET", "history")

    def _watch(self, run_id: str) -> None:
        deadline = time.monotonic() + RUN_SECONDS
        status = ""
        while status not in ENDED and time.monotonic() < deadline:
            time.sleep(PAUSE_SECONDS)
            status = str(self._ask("status", "GET", f"status/{run_id}").get("status", ""))
        if status != "COMPLETED":
            self.answers.complain(f"run {run_id} of {self.tenant.id} is {status}")
        self._ask("receipt", "GET", f"runs/{run_id}/receipt")

    def _ask(self, what: str, method: str, path: str, body: Any = None) -> Mapping[str, Any]:
        began = time.monotonic()
        answer = requests.request(
            method,
            f"{self.tenant.url}/api/v1/pipelines/{path}",
            headers={"X-API-Key": self.tenant.key},
            json=body,
            timeout=ANSWER_SECONDS,
        )
        said: Mapping[str, Any] = answer.json()
        self.answers.note(what, answer.status_code, said, time.monotonic() - began)
        return said
