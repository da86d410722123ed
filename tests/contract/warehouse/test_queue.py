"""One contract for the queue, firings and many admissions at once, in memory and on the local BigQuery."""

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from common.logs import MASK
from common.pipelines.intervals import Interval
from common.pipelines.pipeline import BoundParameter, SealedValue
from common.pipelines.schedule import Overlap
from common.queue.filling import TenantAdmissionStore
from common.queue.run_queue import FiringStore, QueueStore
from common.queue.waiting import MAX_WAIT, AdmissionResult, WaitingRun
from common.runs.ports import AdmissionReads, RunWrites
from common.runs.quotas import Limits, ScheduleShare
from common.runs.run import EndReason, RunStatus, Trigger, TriggerType
from common.warehouse.bigquery import Central, Queries, Row
from common.warehouse.queue import BackfillRows, FiringRows, QueueRows
from common.warehouse.streaming import Streaming
from common.warehouse.tenant_admissions import TenantAdmissionRows
from common.warehouse.usage import LoadRows
from tests.contract.warehouse.backends import AddTenants, in_bigquery, more_tenants
from tests.fakes.clock import START
from tests.fakes.runs import MemoryRuns
from tests.fakes.schedules import MemoryFirings, MemoryQueue, MemoryTenantAdmissions
from tests.unit.runs.examples import a_run
from tests.unit.schedules.platform import LIMITS, MINUTE
from tests.unit.schedules.platform import Platform as MemoryPlatform

NOW = START + 10 * MINUTE
SCHEDULED = Trigger(type=TriggerType.SCHEDULE, by="scheduler")
_numbers = itertools.count()


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """The ports that fill slots."""

    runs: RunWrites
    facts: AdmissionReads
    queue: QueueStore
    all_admissions: TenantAdmissionStore
    firings: FiringStore
    add_tenants: AddTenants


def in_memory() -> Backend:
    rows = MemoryRuns()

    def add_tenants(tenant_ids: Sequence[str], limits: Limits) -> None:
        platform = MemoryPlatform()
        for tenant_id in tenant_ids:
            platform.add_tenant(tenant_id, limits)
            rows.tenants[tenant_id] = platform.rows.tenants[tenant_id]

    return Backend(
        runs=rows,
        facts=rows,
        queue=MemoryQueue(),
        all_admissions=MemoryTenantAdmissions(rows),
        firings=MemoryFirings(),
        add_tenants=add_tenants,
    )


def on_rows(central: Central) -> Backend:
    runs = in_bigquery(central)
    queries, streaming = Queries(central=central), Streaming(central=central)
    return Backend(
        runs=runs.store,
        facts=runs.facts,
        queue=QueueRows(queries=queries, streaming=streaming),
        all_admissions=TenantAdmissionRows(queries=queries, streaming=streaming),
        firings=FiringRows(queries=queries, streaming=streaming),
        add_tenants=runs.add_tenants,
    )


@pytest.fixture(scope="module", params=["memory", "bigquery"])
def backend(request: pytest.FixtureRequest) -> Backend:
    return in_memory() if request.param == "memory" else on_rows(request.getfixturevalue("bootstrapped"))


@pytest.fixture(scope="module")
def tenants(backend: Backend) -> Iterator[str]:
    """Write down more tenants than there are tests."""
    return more_tenants(backend.add_tenants, LIMITS)


@pytest.fixture
def tenant(tenants: Iterator[str]) -> str:
    """Give a test a tenant of its own."""
    return next(tenants)


def test_a_lane_of_a_tenant_that_was_idle_for_long_goes_on_with_its_numbers(
    backend: Backend, tenant: str
) -> None:
    long_ago = START - timedelta(days=210)
    run = a_run(tenant_id=tenant, run_id=f"{tenant}-old", ticket=57, started_at=long_ago)
    backend.runs.append_run(run, RunStatus.COMPLETED, long_ago)
    assert backend.all_admissions.read_tenant_admissions([tenant], [], START)[tenant].ledger.last_ticket == 57


def a_waiting_run(tenant_id: str, number: int = 1, **changes: Any) -> WaitingRun:
    fields: dict[str, Any] = {
        "tenant_id": tenant_id,
        "run_id": f"{tenant_id}-run-{number}",
        "config_id": "daily",
        "config_version": 1,
        "priority": 5,
        "due_at": START + number * MINUTE,
        "added_at": START + number * MINUTE,
        "run_date": date(2026, 3, 15),
        "trigger": Trigger(type=TriggerType.API, by="api_user", api_key_id="k1"),
        "parameters": {"region": "EU", "days": [1, 2]},
        "request_hash": "abc",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    }
    return WaitingRun(**fields | changes)


def record(
    backend: Backend, waiting: Sequence[WaitingRun], status: RunStatus, now: datetime = NOW, error: str = ""
) -> None:
    backend.queue.append([AdmissionResult(waiting=one, status=status, error=error) for one in waiting], now)


def test_whoever_waits_is_read_back_as_it_was_asked_for(backend: Backend, tenant: str) -> None:
    waiting = a_waiting_run(tenant)
    record(backend, [waiting], RunStatus.QUEUED)
    (found,) = backend.queue.read_waiting(tenant, NOW)
    assert found == replace(waiting, is_queued=True)


def test_a_secret_is_read_back_as_it_was_sealed(backend: Backend, tenant: str) -> None:
    sealed = SealedValue(key_version="k1", data="c2VhbGVk")
    waiting = a_waiting_run(tenant, parameters={"region": "EU", "token": sealed})
    record(backend, [waiting], RunStatus.QUEUED)
    (found,) = backend.queue.read_waiting(tenant, NOW)
    assert found.parameters == {"region": "EU", "token": sealed}


def test_the_column_of_parameters_shows_a_mask_for_a_secret(bootstrapped: Central) -> None:
    backend = on_rows(bootstrapped)
    backend.add_tenants(["masks_1"], LIMITS)
    sealed = SealedValue(key_version="k1", data="c2VhbGVk")
    record(
        backend, [a_waiting_run("masks_1", parameters={"region": "EU", "token": sealed})], RunStatus.QUEUED
    )
    bound = (
        BoundParameter(name="region", type="STRING", value="EU"),
        BoundParameter(name="token", type="STRING", value=sealed),
    )
    backend.runs.append_run(a_run(tenant_id="masks_1", parameters=bound), RunStatus.PENDING, START)
    for table in ("tenant_pipeline_execution_queue", "tenant_pipeline_runs"):
        sql = f"SELECT TO_JSON_STRING(parameters) AS shown FROM tenants.{table} WHERE tenant_id = 'masks_1'"
        (row,) = bootstrapped.client.query_and_wait(sql)
        assert json.loads(row["shown"]) == {"region": "EU", "token": MASK}


def test_the_queue_is_read_by_priority_then_by_age(backend: Backend, tenant: str) -> None:
    waiting = [a_waiting_run(tenant, number) for number in (3, 1, 2)]
    waiting.append(a_waiting_run(tenant, 4, priority=1))
    record(backend, waiting, RunStatus.QUEUED)
    found = backend.queue.read_waiting(tenant, NOW)
    assert [one.run_id[-1] for one in found] == ["4", "1", "2", "3"]


def test_every_tenants_queue_is_one_read(backend: Backend, tenant: str) -> None:
    backend.add_tenants([f"other_{tenant}"], LIMITS)
    for tenant_id in (tenant, f"other_{tenant}"):
        record(backend, [a_waiting_run(tenant_id)], RunStatus.QUEUED)
    assert {tenant, f"other_{tenant}"} <= {one.tenant_id for one in backend.queue.read_waiting("", NOW)}
    assert {one.tenant_id for one in backend.queue.read_waiting(tenant, NOW)} == {tenant}


@pytest.mark.parametrize("status", [RunStatus.PENDING, RunStatus.FAILED, RunStatus.CANCELLED])
def test_who_has_left_the_queue_waits_no_more_whatever_is_recorded_later(
    backend: Backend, tenant: str, status: RunStatus
) -> None:
    waiting = a_waiting_run(tenant)
    record(backend, [waiting], RunStatus.QUEUED)
    record(backend, [waiting], status, NOW + MINUTE, "why")
    record(backend, [waiting], RunStatus.QUEUED, NOW + 2 * MINUTE)
    assert backend.queue.read_waiting(tenant, NOW + 3 * MINUTE) == []
    entry = backend.queue.find(tenant, waiting.run_id, NOW + 3 * MINUTE)
    assert entry is not None
    assert (entry.status, entry.error, entry.recorded_at) == (status, "why", NOW + MINUTE)


def test_what_a_schedule_may_take_is_read_back_with_who_waits(backend: Backend, tenant: str) -> None:
    scheduled = a_waiting_run(
        tenant,
        trigger=SCHEDULED,
        share=ScheduleShare(max_active_runs=2, reserve=25, firings_a_day=1440),
        overlap=Overlap.CANCEL_OLDER,
    )
    record(backend, [scheduled], RunStatus.QUEUED)
    (found,) = backend.queue.read_waiting(tenant, NOW)
    assert found == replace(scheduled, is_queued=True)


def test_many_that_wait_for_one_schedule_hide_nobody_from_sight(backend: Backend, tenant: str) -> None:
    fields = {"trigger": SCHEDULED, "share": ScheduleShare(max_active_runs=1), "due_at": START}
    many = [a_waiting_run(tenant, number, **fields) for number in range(60)]
    record(backend, [*many, a_waiting_run(tenant, 99)], RunStatus.QUEUED)
    found = [one.run_id for one in backend.queue.read_waiting(tenant, START + 100 * MINUTE)]
    assert found[0] == f"{tenant}-run-0"
    assert f"{tenant}-run-99" in found


def test_a_ledger_names_the_runs_of_schedules_and_counts_those_of_the_day(
    backend: Backend, tenant: str
) -> None:
    for ticket, config_id, status in (
        (1, "daily", RunStatus.PENDING),
        (2, "hourly", RunStatus.PENDING),
        (3, "daily", RunStatus.PENDING),
        (4, "daily", RunStatus.COMPLETED),
    ):
        run_id = f"{tenant}-run-{ticket}"
        run = a_run(tenant_id=tenant, run_id=run_id, ticket=ticket, config_id=config_id, trigger=SCHEDULED)
        backend.runs.append_run(run, status, START)
    by_hand = a_run(tenant_id=tenant, run_id=f"{tenant}-run-5", ticket=5)
    backend.runs.append_run(by_hand, RunStatus.PENDING, START)
    ledger = backend.all_admissions.read_tenant_admissions({tenant}, set(), NOW)[tenant].ledger
    assert ledger.schedules == {
        "daily": (f"{tenant}-run-1", f"{tenant}-run-3"),
        "hourly": (f"{tenant}-run-2",),
    }
    assert (ledger.use.today, ledger.use.scheduled) == (5, 4)
    assert ledger == backend.facts.read_admission(tenant, "", "", NOW).ledger


def test_an_entry_is_found_by_its_tenant_alone(backend: Backend, tenant: str) -> None:
    record(backend, [a_waiting_run(tenant)], RunStatus.QUEUED)
    assert backend.queue.find(tenant, f"{tenant}-run-1", NOW) is not None
    assert backend.queue.find("globex", f"{tenant}-run-1", NOW) is None
    assert backend.queue.find(tenant, "another", NOW) is None


def test_lanes_are_the_ledgers_of_many_tenants_with_the_runs_that_have_begun(
    backend: Backend, tenant: str
) -> None:
    backend.add_tenants([f"new_{tenant}"], LIMITS)
    for ticket in (1, 4):
        run = a_run(tenant_id=tenant, run_id=f"{tenant}-run-{ticket}", ticket=ticket)
        backend.runs.append_run(run, RunStatus.PENDING, START)
    backend.runs.append_run(
        a_run(tenant_id=tenant, run_id=f"{tenant}-run-4", ticket=4), RunStatus.COMPLETED, START
    )
    asked = {f"{tenant}-run-4", f"{tenant}-run-5"}
    all_admissions = backend.all_admissions.read_tenant_admissions({tenant, f"new_{tenant}"}, asked, NOW)
    single = backend.facts.read_admission(tenant, "", "", NOW).ledger
    assert all_admissions[tenant].ledger == single
    assert all_admissions[tenant].begun == {f"{tenant}-run-4": RunStatus.COMPLETED}
    assert (
        all_admissions[f"new_{tenant}"].ledger
        == backend.facts.read_admission(f"new_{tenant}", "", "", NOW).ledger
    )
    assert all_admissions[f"new_{tenant}"].begun.get(f"{tenant}-run-5") is None


def test_a_lane_takes_off_a_run_that_is_known_to_have_ended_once(backend: Backend, tenant: str) -> None:
    for ticket in (1, 2):
        run = a_run(tenant_id=tenant, run_id=f"{tenant}-run-{ticket}", ticket=ticket)
        backend.runs.append_run(run, RunStatus.PENDING, START)
    for status in (None, RunStatus.COMPLETED):
        if status:
            backend.runs.append_run(a_run(tenant_id=tenant, run_id=f"{tenant}-run-1"), status, NOW)
        facts = backend.all_admissions.read_tenant_admissions({tenant}, {f"{tenant}-run-1"}, NOW)[tenant]
        assert facts.without(a_run(tenant_id=tenant, run_id=f"{tenant}-run-1")).ledger.use.running == 1


def test_configs_are_read_by_version_for_many_tenants(backend: Backend, tenant: str) -> None:
    wanted = {(tenant, "daily", 1), (tenant, "daily", 2), (tenant, "other", 1)}
    found = backend.all_admissions.read_configs(wanted)
    assert found.keys() == {(tenant, "daily", 1)}
    assert found[tenant, "daily", 1].config_id == "daily"


def test_many_runs_begin_in_one_call(backend: Backend, tenant: str) -> None:
    runs = [a_run(tenant_id=tenant, run_id=f"{tenant}-run-{ticket}", ticket=ticket) for ticket in (1, 2)]
    backend.all_admissions.append_begun(runs, START)
    assert backend.facts.read_admission(tenant, "", "", NOW).ledger.use.running == 2


class Firings:
    """The rows of firings, on the local BigQuery alone: they are counted by its SQL."""

    def __init__(self, central: Central) -> None:
        self.backend = on_rows(central)
        self.rows = FiringRows(queries=Queries(central=central), streaming=Streaming(central=central))
        self.central = central

    def latest(self, tenant_id: str) -> list[Row]:
        rows = self.central.client.query_and_wait(
            f"SELECT * FROM {self.central.dataset}.tenant_scheduled_pipeline_runs"
            f" WHERE tenant_id = '{tenant_id}' ORDER BY recorded_at"
        )
        return [dict(row.items()) for row in rows]


def test_how_a_firings_run_has_ended_is_written_once(bootstrapped: Central) -> None:
    firings = Firings(bootstrapped)
    tenant_id = f"waits_{next(_numbers)}"
    firings.backend.add_tenants([tenant_id], LIMITS)
    scheduled = Trigger(type=TriggerType.SCHEDULE, by="scheduler")
    waiting = [a_waiting_run(tenant_id, number, trigger=scheduled) for number in (1, 2, 3)]
    firings.rows.append_firings(
        [AdmissionResult(waiting=one, status=RunStatus.QUEUED) for one in waiting], NOW
    )
    record(firings.backend, waiting, RunStatus.QUEUED)
    record(firings.backend, waiting[2:], RunStatus.CANCELLED, error="the run was cancelled")
    run = a_run(tenant_id=tenant_id, run_id=waiting[0].run_id, started_at=NOW)
    firings.backend.runs.append_run(run, RunStatus.PENDING, NOW)
    firings.backend.runs.append_run(run, RunStatus.FAILED, NOW + MINUTE, "it broke")
    for minutes in (2, 2, 3):
        firings.rows.record_firings(NOW, NOW + minutes * MINUTE)
    rows = [row for row in firings.latest(tenant_id) if row["status"] != "QUEUED"]
    assert {(row["scheduled_run_id"], row["status"], row["error_message"]) for row in rows} == {
        (waiting[0].run_id, "FAILED", "it broke"),
        (waiting[2].run_id, "CANCELLED", "the run was cancelled"),
    }
    assert len(rows) == 2
    failed = next(row for row in rows if row["status"] == "FAILED")
    assert (failed["failed_at"], failed["completed_at"]) == (NOW + MINUTE, None)


def test_who_has_waited_too_long_is_read_however_many_come_first(bootstrapped: Central) -> None:
    backend = on_rows(bootstrapped)
    tenant_id = f"waits_{next(_numbers)}"
    backend.add_tenants([tenant_id], LIMITS)
    now = NOW + MAX_WAIT
    urgent = [a_waiting_run(tenant_id, number, priority=1, added_at=now) for number in range(60)]
    old = [a_waiting_run(tenant_id, 100 + number, added_at=START, due_at=START) for number in range(3)]
    record(backend, [*urgent, *old], RunStatus.QUEUED)
    found = {one.run_id for one in backend.queue.read_waiting(tenant_id, now)}
    assert {one.run_id for one in old} < found
    assert len(found) == 53


def test_the_load_is_counted_by_plan(bootstrapped: Central) -> None:
    backend = on_rows(bootstrapped)
    load = LoadRows(queries=Queries(central=bootstrapped))

    tenant_id = f"waits_{next(_numbers)}"
    backend.add_tenants([tenant_id], LIMITS)

    def counts(*due: str) -> tuple[int, ...]:
        (plan,) = load.read_load(NOW, due)
        failed = plan.failed_today, plan.refused_today, plan.dead_letters_today
        return plan.tenants, plan.due, plan.running, plan.queued, *failed

    before = counts()
    ends = [
        ("", None),
        ("level 2 could not be carried out", EndReason.STEP_FAILED),
        ("no", EndReason.GIVEN_UP),
    ]
    for ticket, (error, reason) in enumerate(ends, start=1):
        run = a_run(tenant_id=tenant_id, run_id=f"{tenant_id}-load-{ticket}", ticket=ticket)
        backend.runs.append_run(run, RunStatus.PENDING, START)
        if error:
            backend.runs.append_run(run, RunStatus.FAILED, NOW, error, reason)
    record(backend, [a_waiting_run(tenant_id, 1, added_at=START - MINUTE)], RunStatus.QUEUED)
    record(backend, [a_waiting_run(tenant_id, 2)], RunStatus.FAILED, error="the daily limit is reached")
    record(backend, [a_waiting_run(tenant_id, 3)], RunStatus.FAILED, NOW - timedelta(days=1), "it waited")
    counted = counts(tenant_id, tenant_id, "nobody")
    assert tuple(after - b for after, b in zip(counted, before, strict=True)) == (0, 2, 1, 1, 2, 1, 1)
    assert load.read_load(NOW, [])[0].oldest_queued_at is not None


def test_a_backfill_is_read_by_its_intervals_as_far_as_each_has_come(bootstrapped: Central) -> None:
    backend = on_rows(bootstrapped)
    tenant_id = f"waits_{next(_numbers)}"
    backend.add_tenants([tenant_id], LIMITS)
    trigger = Trigger(type=TriggerType.BACKFILL, by="backfill-1")
    runs = [
        a_waiting_run(
            tenant_id,
            n,
            trigger=trigger,
            interval=Interval(start=START + n * MINUTE, end=START + (n + 1) * MINUTE),
            max_parallel=2,
        )
        for n in (3, 1, 2)
    ]
    record(backend, runs, RunStatus.QUEUED)
    record(backend, runs[:1], RunStatus.CANCELLED, error="the run was cancelled")
    record(backend, runs[1:2], RunStatus.PENDING)
    run = a_run(tenant_id=tenant_id, run_id=runs[1].run_id, trigger=trigger)
    backend.runs.append_run(run, RunStatus.PENDING, NOW)
    (waiting,) = backend.queue.read_waiting(tenant_id, NOW)
    assert (waiting.backfill_id, waiting.max_parallel) == ("backfill-1", 2)
    all_admissions = backend.all_admissions.read_tenant_admissions({tenant_id}, set(), NOW)
    assert all_admissions[tenant_id].ledger.backfills == {"backfill-1": 1}
    assert all_admissions[tenant_id].ledger == backend.facts.read_admission(tenant_id, "", "", NOW).ledger
    backend.runs.append_run(run, RunStatus.COMPLETED, NOW + MINUTE)
    rows = BackfillRows(queries=Queries(central=bootstrapped))
    found = rows.read_backfills(tenant_id, ["backfill-1", "backfill-0"], NOW)
    assert [(one.interval_start, one.status) for one in found] == [
        (START + 1 * MINUTE, RunStatus.COMPLETED),
        (START + 2 * MINUTE, RunStatus.QUEUED),
        (START + 3 * MINUTE, RunStatus.CANCELLED),
    ]
    assert rows.read_backfills("globex", ["backfill-1"], NOW) == []
