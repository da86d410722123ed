"""How much a site answers: requests of many clients at once, and admissions of one tenant and of many."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import quantiles
from uuid import uuid4

from werkzeug.test import Client

from common.runs.run import Trigger, TriggerType
from common.runs.starting import RunRequest
from common.times import to_rfc3339, utc_now
from common.warehouse.streaming import Streaming
from common.wiring import ADAPTERS, SERVICES
from tests.bench.tenants import add_tenants
from tests.functional.site import Site, Tenant, a_pipeline_file

CLIENTS = (1, 8, 32)
REQUESTS = 64
"""Of each kind, by all clients together."""
MANY_TENANTS = 200
ADMITTING = 8
"""How many threads admit runs at once."""
NO_LIMIT = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """Requests of one kind by so many clients."""

    what: str
    clients: int
    seconds: float
    each: Sequence[float]
    """How long each took, in seconds."""

    @property
    def per_second(self) -> float:
        """How many were answered in a second."""
        return len(self.each) / self.seconds

    def percentile(self, percent: int) -> float:
        """Return how long so many percent of them took at the most."""
        return quantiles(self.each, n=100, method="inclusive")[percent - 1]


def answered(site: Site, tenant: Tenant) -> Iterator[Answered]:
    """Ask for runs, statuses and histories, by few clients and by many."""
    _without_limits(tenant)
    assert tenant.upload("bench", a_pipeline_file({"a": "SELECT 1 AS n"})).status_code == 201
    run_id = tenant.run("bench")
    routes = {
        "run": ("POST", "/api/v1/pipelines/run/bench"),
        "status": ("GET", f"/api/v1/pipelines/status/{run_id}"),
        "history": ("GET", "/api/v1/pipelines/history"),
    }
    for what, (method, path) in routes.items():
        for clients in CLIENTS:
            yield _at_once(what, clients, lambda method=method, path=path: _ask(site, tenant, method, path))  # type: ignore[misc]


def admissions(tenant: Tenant) -> Iterator[Answered]:
    """Admit runs of one tenant, which take their tickets in turns, and runs of many."""
    yield _at_once("admissions of one tenant", ADMITTING, lambda: _admit(tenant.tenant_id, "bench"))
    waiting = add_tenants(ADAPTERS.central, MANY_TENANTS, "crowd")
    yield _at_once(
        f"admissions of {MANY_TENANTS} tenants",
        ADMITTING,
        lambda: _admit(waiting.pop(), "config-0"),
        MANY_TENANTS,
    )


def _at_once(what: str, clients: int, ask: Callable[[], None], requests: int = REQUESTS) -> Answered:
    def timed(_: int) -> float:
        began = time.perf_counter()
        ask()
        return time.perf_counter() - began

    began = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        each = list(pool.map(timed, range(requests)))
    return Answered(what=what, clients=clients, seconds=time.perf_counter() - began, each=each)


def _ask(site: Site, tenant: Tenant, method: str, path: str) -> None:
    client = Client(site.functions["pipelines"].application)
    answer = client.open(path, method=method, headers={"X-API-Key": tenant.key})
    assert answer.status_code in {200, 202}, answer.text


def _admit(tenant_id: str, config_id: str) -> None:
    trigger = Trigger(type=TriggerType.API, by="bench")
    asked = RunRequest(tenant_id=tenant_id, config_id=config_id, trigger=trigger, parameters={})
    SERVICES.run_service.start(asked)


def _without_limits(tenant: Tenant) -> None:
    """Give a tenant a plan that nobody sells."""
    now = to_rfc3339(utc_now())
    row = {
        "tenant_id": tenant.tenant_id,
        "subscription_id": f"sub-{uuid4()}",
        "status": "ACTIVE",
        "plan_name": "SCALE",
        "daily_limit": NO_LIMIT,
        "monthly_limit": NO_LIMIT,
        "concurrent_limit": NO_LIMIT,
        "created_at": now,
        "recorded_at": now,
    }
    Streaming(central=ADAPTERS.central).append("tenant_subscriptions", {str(uuid4()): row})
