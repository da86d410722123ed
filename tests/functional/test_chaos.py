"""The real adapters under faults: after each, every effect exactly once and every run at its end."""

import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from itertools import repeat

import pytest

from common.runs import retries, sweeping
from common.setup import readiness
from common.setup.tables import central_tables
from common.wiring import ADAPTERS, admin_services
from local.bigquery import Effect, Fault
from local.bigquery.metadata_updates import WINDOW_SECONDS
from tests.functional.site import Site, Tenant, a_pipeline_file

LEVELS = ({"a": "SELECT 1 AS n", "b": "SELECT 2 AS n"}, {"c": "SELECT SUM(n) AS n FROM (SELECT n FROM a)"})
ACKNOWLEDGED = 200
SEED = 1
PAUSE_SECONDS = 1.0
A_WHILE = timedelta(seconds=1)
"""How soon everybody learns here that a table is held."""
LOST_SECONDS = 3.0
"""How long streaming loses rows of tables that are remade."""
REMADE = tuple(one for one in central_tables() if one.name in {"tenant_pipeline_runs", "tenant_step_logs"})
"""The tables that runs stream to; what is true of two is true of all, and quicker."""
STEP, TICKET = "cvg-step-", "cvg-ticket-"
# tests/simulation fails each call of a run; here each of BigQuery's doors fails in each of its own ways.
OF_STEPS: dict[str, dict[str, Fault]] = {
    "requests": {
        "a": Fault(effect=Effect.CUT_BEFORE),
        "b": Fault(effect=Effect.BACKEND_ERROR),
        "c": Fault(effect=Effect.CUT_AFTER),
    },
    "jobs": {
        "a": Fault(effect=Effect.JOB_FAILS, reason="backendError"),
        "b": Fault(effect=Effect.JOB_FAILS, reason="rateLimitExceeded"),
        "c": Fault(effect=Effect.JOB_FAILS, reason="jobRateLimitExceeded"),
    },
}
"""What fails of the first attempt of each step of a run."""
FAULTS = [
    *(
        Fault(method="jobs.insert", job_id_prefix=TICKET, nth=1, effect=effect)
        for effect in (Effect.CUT_AFTER, Effect.RATE_LIMIT_EXCEEDED)
    ),
    *(
        Fault(method="tabledata.insertAll", nth=nth, effect=effect)
        for nth, effect in ((1, Effect.CUT_AFTER), (5, Effect.INTERNAL_ERROR))
    ),
    Fault(method="jobs.get", nth=1, effect=Effect.CUT_BEFORE),
]


def named(fault: Fault) -> str:
    return f"{fault.method} {fault.job_id_prefix}{fault.nth} {fault.effect.value} {fault.reason}"


class Clock:
    """Seconds by which BigQuery's limits go: none pass but between two tests."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
def next_window(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test BigQuery's limits anew; how fast the machine is has no part in it."""
    monkeypatch.setattr(retries, "LIMIT_WINDOW_SECONDS", 0.0)  # A limit that is a fault here is over at once.
    clock.seconds += WINDOW_SECONDS


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let BigQuery's client ask again at once: how long it waits is its own."""
    pauses = "google.api_core.retry.retry_unary.exponential_sleep_generator"
    monkeypatch.setattr(pauses, lambda *_, **__: repeat(0.0))


@pytest.fixture(scope="module")
def shared(site: Site, tenant_ids: Iterator[str], clock: Clock) -> Iterator[Tenant]:
    """One tenant and one config for all faults, with BigQuery's limits on DML and metadata in force.

    The local BigQuery slows down with each table, so all share them.
    """
    tenant = site.onboard(next(tenant_ids))
    tenant.upload("chaos", a_pipeline_file(*LEVELS))
    site.bigquery.limits.is_on, site.bigquery.limits.clock = True, clock
    tenant.run("chaos")
    site.drain()
    clock.seconds += WINDOW_SECONDS
    yield tenant
    site.bigquery.limits.reset()


def rows_of(site: Site, tenant: Tenant) -> dict[str, int]:
    """Count the rows that each step has appended so far."""
    sql = " UNION ALL ".join(
        f"SELECT '{table}' AS step, COUNT(*) AS n FROM {tenant.tenant_id}.{table}" for table in "abc"
    )
    return {row["step"]: row["n"] for row in site.rows(sql)}


@pytest.mark.parametrize("what", OF_STEPS)
def test_a_fault_of_each_step_of_a_run_leaves_each_effect_exactly_once(
    site: Site, shared: Tenant, what: str
) -> None:
    before = rows_of(site, shared)
    run_id = shared.run("chaos", **{"Idempotency-Key": f"fault-of-{what}"})
    faults = {f"{STEP}{run_id}-{step_id}-1": fault for step_id, fault in OF_STEPS[what].items()}
    site.bigquery.faults.script(
        [
            replace(fault, method="jobs.insert", job_id_prefix=job_id, times=1)
            for job_id, fault in faults.items()
        ]
    )
    site.drain()
    happened = list(site.bigquery.faults.happened)
    site.bigquery.faults.reset()
    assert len(happened) == len(faults)
    assert shared.status(run_id)["status"] == "COMPLETED"
    assert rows_of(site, shared) == {step: count + 1 for step, count in before.items()}


@pytest.mark.parametrize("fault", FAULTS, ids=named)
def test_one_fault_anywhere_in_a_run_leaves_each_effect_exactly_once(
    site: Site, shared: Tenant, fault: Fault
) -> None:
    before = rows_of(site, shared)
    site.bigquery.faults.script([replace(fault, times=1)])
    run_id = shared.run("chaos", **{"Idempotency-Key": named(fault).replace(" ", "-")})
    site.drain()
    happened = list(site.bigquery.faults.happened)
    site.bigquery.faults.reset()
    assert len(happened) == 1
    assert shared.status(run_id)["status"] == "COMPLETED"
    assert rows_of(site, shared) == {step: count + 1 for step, count in before.items()}


def test_a_bad_day_with_repeated_and_reordered_messages_comes_right(site: Site, shared: Tenant) -> None:
    before, first = rows_of(site, shared), _tickets(site, shared)
    dice = random.Random(SEED)
    effects = [Effect.BACKEND_ERROR, Effect.CUT_BEFORE, Effect.CUT_AFTER, Effect.RATE_LIMIT_EXCEEDED]
    bad = [Fault(effect=effect, method=method, probability=0.04) for effect in effects for method in METHODS]
    site.bigquery.faults.script(bad, seed=SEED)
    run_ids = {shared.run("chaos", **{"Idempotency-Key": f"bad-day-{number}"}) for number in range(2)}
    waiting = site.take_levels()
    while waiting:
        message = waiting.pop(dice.randrange(len(waiting)))
        for _ in range(dice.choice([1, 1, 2])):
            site.deliver_until_acknowledged(message)
        waiting += site.take_levels()
    site.bigquery.faults.reset()
    assert {shared.status(run_id)["status"] for run_id in run_ids} == {"COMPLETED"}
    assert rows_of(site, shared) == {step: count + 2 for step, count in before.items()}
    assert _tickets(site, shared) == list(range(1, len(first) + 3))


def test_tables_that_are_remade_amid_runs_lose_no_row_and_double_none(
    site: Site, shared: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Streaming loses for a time what goes to tables that are remade, so rows are kept until it does not."""
    monkeypatch.setattr(readiness, "LOOK_AGAIN", A_WHILE)
    monkeypatch.setattr(ADAPTERS.stream_targets._seen, "lifetime", A_WHILE)
    before = rows_of(site, shared)
    site.bigquery.streaming_delay.is_on, site.bigquery.streaming_delay.seconds = True, LOST_SECONDS
    run_ids = [shared.run("chaos"), shared.run("chaos")]
    bootstrap = admin_services().bootstrap
    recreation = replace(bootstrap.recreation, definitions=REMADE)
    waiting, refused = site.take_levels(), 0
    with ThreadPoolExecutor(1) as pool:
        remade = pool.submit(replace(bootstrap, recreation=recreation).run, force_recreate_tables=True)
        while not (remade.done() or site.admin("GET", "/admin/overview").get_json()["streaming_held"]):
            time.sleep(PAUSE_SECONDS)
        time.sleep(2 * A_WHILE.total_seconds())  # Everybody has looked by then, and they are being remade.
        while not remade.done():
            time.sleep(PAUSE_SECONDS)
            waiting = [message for message in waiting if site.deliver(message) != ACKNOWLEDGED]
            refused += len(waiting)
            waiting += site.take_levels()
    assert remade.result().streaming_held == []
    assert set(remade.result().tables_recreated) == {one.name for one in REMADE}
    for message in waiting:
        site.deliver_until_acknowledged(message)
    site.drain()
    site.bigquery.streaming_delay.reset()
    assert refused
    assert {shared.status(run_id)["status"] for run_id in run_ids} == {"COMPLETED"}
    assert rows_of(site, shared) == {step: count + 2 for step, count in before.items()}


def _tickets(site: Site, tenant: Tenant) -> list[int]:
    sql = f"SELECT DISTINCT ticket FROM tenants.tenant_pipeline_runs WHERE tenant_id = '{tenant.tenant_id}'"
    return sorted(row["ticket"] for row in site.rows(sql))


METHODS = ("jobs.insert", "jobs.get", "tabledata.insertAll")


def test_a_message_delivered_five_times_appends_once(site: Site, shared: Tenant) -> None:
    before = rows_of(site, shared)
    run_id = shared.run("chaos")
    (message,) = site.take_levels()
    for _ in range(5):
        site.deliver_until_acknowledged(message)
    site.drain()
    assert rows_of(site, shared) == {step: count + 1 for step, count in before.items()}
    assert shared.status(run_id)["status"] == "COMPLETED"


def test_a_run_whose_first_message_is_lost_is_continued_by_the_dispatcher(
    site: Site, shared: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = shared.run("chaos")
    site.take_levels()
    monkeypatch.setattr(sweeping, "QUIET_BEFORE_START", timedelta())
    assert site.tick()["continued"] >= 1
    site.drain()
    assert shared.status(run_id)["status"] == "COMPLETED"
