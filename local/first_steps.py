"""The way from an empty platform to a first run: which step comes next, and the command that takes it."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path

from google.cloud import bigquery

from common.errors import WarehouseError
from common.warehouse.bigquery import Statement
from common.warehouse.translation import translated

DONE_STEPS = Path(__file__).parent / "sql" / "first_steps.sql"
PIPELINE = "bq_etl_test"


class Step(IntEnum):
    """The steps, in their order."""

    BOOTSTRAP = 0
    ONBOARD = 1
    UPLOAD = 2
    RUN = 3
    FOLLOW = 4


TAKEN_BY = {
    "/admin/bootstrap": Step.BOOTSTRAP,
    "/api/v1/tenants/onboard": Step.ONBOARD,
    "/admin/tenants": Step.ONBOARD,
    "/api/v1/pipelines/configs/": Step.UPLOAD,
    "/api/v1/pipelines/run/": Step.RUN,
}
"""Which step a successful POST takes, by its path, or by what its path begins with: that ends in a slash."""


def missing_step(client: bigquery.Client, dataset: str) -> Step:
    """Look up which step nobody has taken yet."""
    text = DONE_STEPS.read_text(encoding="utf-8")
    statement = Statement(name="first_steps", text=text, parameter_types={})
    sql = statement.render(project=client.project, dataset=dataset)
    try:
        with translated():
            (row,) = client.query_and_wait(sql)
    except WarehouseError:  # The tables are not there yet.
        return Step.BOOTSTRAP
    for name, step in (("has_tenant", Step.ONBOARD), ("has_config", Step.UPLOAD), ("has_run", Step.RUN)):
        if not row[name]:
            return step
    return Step.FOLLOW


@dataclass(slots=True, kw_only=True)
class FirstSteps:
    """Says what comes next: at the start, and each time that a step has been taken."""

    url: str
    shown_admin_key: str
    say: Callable[[str], None]
    api_key: str = "$API_KEY"
    step: Step = Step.BOOTSTRAP
    config_id: str = PIPELINE
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def heard(self, method: str, path: str, status: int) -> None:
        """Hear of an answer; say what comes next where it took a step for the first time."""
        taken = _taken(path) if method == "POST" and 200 <= status < 300 else None
        with self._lock:
            if taken is None or taken < self.step:
                return
            self.step = Step(taken + 1)
            if taken is Step.UPLOAD:
                self.config_id = path.rpartition("/")[2]
        self.say(self.next())

    def next(self) -> str:
        """Return what is to be done next, and the command that does it."""
        what, *command = {
            Step.BOOTSTRAP: self._bootstrap,
            Step.ONBOARD: self._onboard,
            Step.UPLOAD: self._upload,
            Step.RUN: self._run,
            Step.FOLLOW: self._follow,
        }[self.step]()
        return "\n".join([f"Next: {what}", *(f"  {line}" for line in command)])

    def _bootstrap(self) -> list[str]:
        return [
            "make the central tables.",
            f'curl -X POST "{self.url}/admin/bootstrap" -H "X-Admin-Key: {self.shown_admin_key}" \\',
            "  -H \"Content-Type: application/json\" -d '{}'",
        ]

    def _onboard(self) -> list[str]:
        return [
            "make a tenant. The answer has its API key, which is shown once.",
            f'curl -X POST "{self.url}/api/v1/tenants/onboard" -H "Content-Type: application/json" \\',
            '  -d \'{"tenant_id": "acme", "company_name": "Acme", "admin_email": "admin@acme.example",',
            '  "subscription_plan": "PROFESSIONAL"}\'',
        ]

    def _upload(self) -> list[str]:
        return [
            "upload a pipeline, with the tenant's API key.",
            f'curl -X POST "{self.url}/api/v1/pipelines/configs/{PIPELINE}" {self._key_header} \\',
            f'  -H "Content-Type: application/yaml" --data-binary @configs/setup/{PIPELINE}.yml',
        ]

    def _run(self) -> list[str]:
        return [
            "run it.",
            f'curl -X POST "{self.url}/api/v1/pipelines/run/{self.config_id}" {self._key_header} \\',
            '  -H "Content-Type: application/json" -d \'{"date": "2024-01-01"}\'',
        ]

    def _follow(self) -> list[str]:
        return [
            "look at the runs. All that can be called is in docs/api.md.",
            f'curl "{self.url}/api/v1/pipelines/history" {self._key_header}',
        ]

    @property
    def _key_header(self) -> str:
        return f'-H "X-API-Key: {self.api_key}"'


def _taken(path: str) -> Step | None:
    for known, step in TAKEN_BY.items():
        if path == known or (known.endswith("/") and path.startswith(known)):
            return step
    return None
