"""One contract for run rows, claims and step jobs, held by the in-memory ports and by the real adapters."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from common.claims import claim, try_claim
from common.costs.budgets import Spending
from common.errors import AlreadyExists, NotFound, Unavailable, WarehouseError
from common.pipelines.pipeline import BoundParameter, SealedValue
from common.pipelines.plans import CHECKS, QueryJob, WriteDisposition
from common.runs.ports import JobReport, StepJob
from common.runs.quotas import Limits, Use
from common.runs.run import (
    UNCOUNTED,
    EndReason,
    Run,
    RunStatus,
    StepOutline,
    StepRow,
    StepStatus,
    Trigger,
    TriggerType,
)
from common.runs.tickets import MAX_GAPS
from common.runs.views import StepView
from common.warehouse.bigquery import Central, Queries
from common.warehouse.run_views import RunViewRows
from common.warehouse.runs import RunRows
from common.warehouse.streaming import Streaming
from tests.contract.warehouse.backends import Backend, in_bigquery, in_memory, more_tenants
from tests.fakes.clock import START
from tests.unit.runs.examples import a_run

LIMITS = Limits(daily=6, monthly=180, concurrent=3)
MINUTE = timedelta(minutes=1)
NOW = START + 10 * MINUTE
_numbers = itertools.count()


@pytest.fixture(scope="module", params=["memory", "bigquery"])
def backend(request: pytest.FixtureRequest) -> Backend:
    if request.param == "memory":
        return in_memory()
    central: Central = request.getfixturevalue("bootstrapped")
    return in_bigquery(central)


@pytest.fixture(scope="module")
def tenants(backend: Backend) -> Iterator[str]:
    """Write down more tenants than there are tests."""
    return more_tenants(backend.add_tenants, LIMITS)


@pytest.fixture
def tenant(tenants: Iterator[str]) -> str:
    """Give a test a tenant of its own."""
    return next(tenants)


@pytest.fixture
def owner(backend: Backend) -> str:
    """Name a tenant that has a dataset."""
    tenant_id = f"owner_{next(_numbers)}"
    backend.add_dataset(tenant_id)
    return tenant_id


def a_run_of(tenant_id: str, ticket: int, **changes: Any) -> Run:
    return a_run(tenant_id=tenant_id, run_id=f"{tenant_id}-run-{ticket}", ticket=ticket, **changes)


def a_step_row(status: StepStatus, attempt: int = 1, **changes: Any) -> StepRow:
    fields: dict[str, Any] = {
        "step_id": "extract",
        "ps_type": "bq_etl.query",
        "index": 0,
        "level": 1,
        "attempt": attempt,
        "status": status,
        "started_at": START,
    }
    return StepRow(**fields | changes)


def test_a_tenant_without_a_plan_cannot_be_admitted(backend: Backend) -> None:
    with pytest.raises(NotFound):
        backend.facts.read_admission("nobody", "daily", "run", NOW)


def test_an_admission_reads_plan_config_use_and_tickets_at_once(backend: Backend, tenant: str) -> None:
    yesterday, last_month = START - timedelta(days=1), START - timedelta(days=20)
    for ticket, started_at in [(1, last_month), (2, yesterday), (5, START)]:
        run = a_run_of(tenant, ticket, started_at=started_at)
        backend.store.append_run(run, RunStatus.PENDING, started_at)
    backend.store.append_run(
        a_run_of(tenant, 2, started_at=yesterday), RunStatus.COMPLETED, yesterday + MINUTE
    )
    facts = backend.facts.read_admission(tenant, "daily", f"{tenant}-run-5", NOW)
    assert facts.tenant_status == "ACTIVE"
    assert facts.config is not None
    config = facts.config
    assert (config.version, config.text, config.priority) == (1, "steps: []", 3)
    assert facts.ledger.limits == LIMITS
    assert facts.ledger.use == Use(today=1, month=2, running=2)
    assert (facts.ledger.last_ticket, facts.ledger.gaps) == (5, (3, 4))
    assert facts.repeated is not None
    assert (facts.repeated.run.ticket, facts.repeated.status) == (5, RunStatus.PENDING)


def test_a_new_tenants_first_ticket_is_told_so_that_one_below_it_can_be_looked_for(
    backend: Backend, tenant: str
) -> None:
    backend.store.append_run(a_run_of(tenant, 2), RunStatus.PENDING, START)
    assert backend.facts.read_admission(tenant, "", "", NOW).ledger.first_ticket == 2


def test_a_tenant_that_was_idle_for_long_goes_on_with_its_numbers(backend: Backend, tenant: str) -> None:
    long_ago = START - timedelta(days=210)
    backend.store.append_run(a_run_of(tenant, 57, started_at=long_ago), RunStatus.COMPLETED, long_ago)
    ledger = backend.facts.read_admission(tenant, "", "", NOW).ledger
    assert (ledger.last_ticket, ledger.first_ticket, ledger.gaps) == (57, 0, ())
    assert ledger.use == Use(today=0, month=0, running=0)


def test_a_ticket_that_cannot_be_true_makes_no_millions_of_gaps(backend: Backend, tenant: str) -> None:
    for ticket in (1, 50_000_000):
        backend.store.append_run(a_run_of(tenant, ticket), RunStatus.COMPLETED, START)
    ledger = backend.facts.read_admission(tenant, "", "", NOW).ledger
    assert (ledger.last_ticket, len(ledger.gaps)) == (50_000_000, MAX_GAPS + 1)


def test_rows_of_another_tenant_count_for_nothing(backend: Backend, tenant: str) -> None:
    backend.add_tenants(["globex"], LIMITS)
    backend.store.append_run(a_run_of("globex", 1), RunStatus.PENDING, START)
    facts = backend.facts.read_admission(tenant, "daily", "globex-run-1", NOW)
    assert facts.ledger.use == Use(today=0, month=0, running=0)
    assert facts.repeated is None
    assert backend.progress.find(tenant, "globex-run-1", NOW) is None


def test_the_first_terminal_row_of_a_run_beats_all_others(backend: Backend, tenant: str) -> None:
    run = a_run_of(tenant, 1)
    for status, minutes in [(RunStatus.PENDING, 0), (RunStatus.COMPLETED, 2), (RunStatus.CANCELLED, 3)]:
        backend.store.append_run(run, status, START + minutes * MINUTE)
    backend.store.append_run(run, RunStatus.PENDING, START + 4 * MINUTE)
    found = backend.progress.find(tenant, run.run_id, NOW)
    assert found is not None
    assert found.status is RunStatus.COMPLETED


def test_progress_tells_completed_steps_and_the_last_sign_of_life(backend: Backend, tenant: str) -> None:
    run = a_run_of(
        tenant,
        1,
        levels=(("extract", "other"),),
        steps=(
            StepOutline(
                step_id="extract", ps_type="bq_etl.query", target_table="t", attempts=2, credential="gcp"
            ),
            StepOutline(step_id="other", index=1),
        ),
        is_isolated=True,
        parameters=(
            BoundParameter(name="date", type="DATE", value="2026-03-15"),
            BoundParameter(name="token", type="STRING", value=SealedValue(key_version="k1", data="c2VhbGVk")),
        ),
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        request_hash="abc",
        retry_of="an-earlier-run",
        left_out=("load", "clean"),
        trigger=Trigger(type=TriggerType.PUBSUB, by="run-requests", api_key_id="k1", user_id="ada"),
        queued_at=START - MINUTE,
    )
    backend.store.append_run(run, RunStatus.PENDING, START)
    failed = a_step_row(
        StepStatus.FAILED, step_id="other", ended_at=START + MINUTE, error_reason="backendError"
    )
    backend.store.append_steps(run, [a_step_row(StepStatus.RUNNING), failed], START + MINUTE)
    done = a_step_row(StepStatus.COMPLETED, ended_at=START + 2 * MINUTE, rows=3, job_id="cvg-step-1")
    backend.store.append_steps(run, [done], START + 2 * MINUTE)
    found = backend.progress.find(tenant, run.run_id, NOW)
    assert found is not None
    assert found.run == run
    assert found.progress.completed == {"extract"}
    assert found.progress.has_begun
    assert found.progress.last_activity == START + 2 * MINUTE
    assert found.config is not None
    assert found.config.text == "steps: []"
    repeated = backend.facts.read_admission(tenant, "daily", run.run_id, NOW).repeated
    assert repeated is not None
    assert repeated.secret_names == {"token"}
    assert repeated.run.retry_of == "an-earlier-run"


def test_a_step_is_completed_by_its_last_job_alone(backend: Backend, tenant: str) -> None:
    run = a_run_of(tenant, 1, steps=(StepOutline(step_id="extract", jobs=("main", "publish")),))
    backend.store.append_run(run, RunStatus.PENDING, START)
    first = a_step_row(StepStatus.RUNNING, ended_at=START + MINUTE, rows=3)
    backend.store.append_steps(run, [first], START + MINUTE)
    found = backend.progress.find(tenant, run.run_id, NOW)
    assert found is not None
    assert (found.run, found.progress.completed) == (run, frozenset())
    last = a_step_row(
        StepStatus.COMPLETED, ended_at=START + 2 * MINUTE, rows=3, job_name="publish", job_index=1
    )
    backend.store.append_steps(run, [last], START + 2 * MINUTE)
    found = backend.progress.find(tenant, run.run_id, NOW)
    assert found is not None
    assert found.progress.completed == {"extract"}


def test_a_receipt_lists_each_job_once_by_its_end(request: pytest.FixtureRequest) -> None:
    central: Central = request.getfixturevalue("bootstrapped")
    rows = RunRows(streaming=Streaming(central=central))
    run = a_run(tenant_id="receipts", run_id="receipts-1")
    first: dict[str, Any] = {"job_id": "job-1"}
    last: dict[str, Any] = {"job_id": "job-2", "job_name": "publish", "job_index": 1}
    ended: dict[str, Any] = {"ended_at": START + MINUTE, "rows": 3, "metadata": {"slot_ms": 7}}
    told = [
        (a_step_row(StepStatus.RUNNING, 0, error_message="is tried again: no answer"), 0),
        (a_step_row(StepStatus.RUNNING, **first), 0),
        (a_step_row(StepStatus.RUNNING, **first, **ended), 1),
        (a_step_row(StepStatus.RUNNING, **first), 2),  # Of a delivery that came late.
        (a_step_row(StepStatus.FAILED, **last, ended_at=START + MINUTE, error_reason="backendError"), 3),
        (a_step_row(StepStatus.RUNNING, 2, **last), 4),
    ]
    for row, minutes in told:
        rows.append_steps(run, [row], START + minutes * MINUTE)
    receipt = RunViewRows(queries=Queries(central=central)).read_receipt("receipts", "receipts-1", START)
    assert [(one.job_name, one.attempt, one.status, one.rows_processed) for one in receipt] == [
        ("main", 1, "COMPLETED", 3),
        ("publish", 1, "FAILED", None),
        ("publish", 2, "RUNNING", None),
    ]
    assert [one.metadata for one in receipt] == [{"slot_ms": 7}, {}, {}]


def test_a_run_is_looked_at_with_its_steps_by_level_and_what_retries_it(
    request: pytest.FixtureRequest,
) -> None:
    central: Central = request.getfixturevalue("bootstrapped")
    rows = RunRows(streaming=Streaming(central=central))
    run = a_run(
        tenant_id="looked_at",
        run_id="looked_at-1",
        levels=(("extract",), ("transform",)),
        steps=(StepOutline(step_id="extract", jobs=("main", CHECKS)),),
        parameters=(BoundParameter(name="date", type="DATE", value="2024-01-17"),),
        left_out=("load",),
        queued_at=START - MINUTE,
    )
    again = a_run(tenant_id="looked_at", run_id="looked_at-2", ticket=2, retry_of=run.run_id)
    for one in (run, again):
        rows.append_run(one, RunStatus.PENDING, START)
    views = RunViewRows(queries=Queries(central=central))
    waits = views.read_run("looked_at", again.run_id, NOW)
    assert waits is not None
    assert (waits.status, waits.retry_of, waits.has_checks) == (RunStatus.PENDING, run.run_id, False)
    failed = a_step_row(StepStatus.FAILED, job_id="job-1", ended_at=START + MINUTE, error_reason="invalid")
    rows.append_steps(run, [a_step_row(StepStatus.RUNNING), failed], START + MINUTE)
    found = views.read_run("looked_at", run.run_id, NOW)
    assert found is not None
    assert (found.status, found.queued_at, found.started_at) == (RunStatus.RUNNING, run.queued_at, START)
    assert (found.retried_by, found.left_out, found.has_checks) == ((again.run_id,), ("load",), True)
    assert found.parameters == {"date": "2024-01-17"}
    first, second = found.levels
    assert (first.status, second.status) == (StepStatus.FAILED, StepStatus.PENDING)
    assert second.steps == (StepView(step_id="transform"),)
    (extract,) = first.steps
    assert (extract.job_id, extract.error_reason, extract.attempt) == ("job-1", "invalid", 1)
    assert views.read_run("globex", run.run_id, NOW) is None


def test_a_run_is_found_where_its_version_of_the_config_is_not(backend: Backend, tenant: str) -> None:
    run = a_run_of(tenant, 1, config_id="gone", config_version=7)
    backend.store.append_run(run, RunStatus.PENDING, START)
    found = backend.progress.find(tenant, run.run_id, NOW)
    assert found is not None
    assert (found.run, found.config) == (run, None)


def test_an_attempt_told_once_more_to_be_under_way_is_a_sign_of_life(backend: Backend, tenant: str) -> None:
    run = a_run_of(tenant, 1)
    backend.store.append_run(run, RunStatus.PENDING, START)
    for minutes in (1, 9):
        backend.store.append_steps(run, [a_step_row(StepStatus.RUNNING)], START + minutes * MINUTE)
    found = backend.progress.find(tenant, run.run_id, NOW)
    assert found is not None
    assert found.progress.last_activity == START + 9 * MINUTE


def test_progress_tells_what_a_step_under_way_was_last_stopped_by(backend: Backend, tenant: str) -> None:
    run = a_run_of(tenant, 1)
    backend.store.append_run(run, RunStatus.PENDING, START)
    for minutes, said in enumerate(
        ["", "is tried again: no answer", "is tried again: an internal error", ""]
    ):
        row = a_step_row(StepStatus.RUNNING, error_message=said)
        backend.store.append_steps(run, [row], START + minutes * MINUTE)
    failed = a_step_row(StepStatus.FAILED, ended_at=START, error_message="no such column")
    backend.store.append_steps(run, [failed], START + 9 * MINUTE)
    found = backend.progress.find(tenant, run.run_id, NOW)
    assert found is not None
    assert found.progress.last_trouble == "is tried again: an internal error"


def test_a_look_finds_quiet_open_runs_and_gaps_and_the_newest_row(backend: Backend, tenant: str) -> None:
    for ticket in (1, 4):
        backend.store.append_run(a_run_of(tenant, ticket), RunStatus.PENDING, START)
    backend.store.append_run(a_run_of(tenant, 4), RunStatus.FAILED, START + MINUTE, "it broke")
    findings = backend.progress.look(START + MINUTE, NOW)
    assert f"{tenant}-run-1" in {found.run.run_id for found in findings.open_runs}
    assert f"{tenant}-run-4" not in {found.run.run_id for found in findings.open_runs}
    assert [(gap.after, gap.before) for gap in findings.gaps if gap.tenant_id == tenant] == [(1, 4)]
    assert findings.last_recorded_at is not None


def test_a_look_tells_the_progress_of_each_run_however_long_ago_it_began(
    backend: Backend, tenant: str
) -> None:
    """A step's times are BigQuery's: its first one can be before the run's own."""
    began = [START, START - timedelta(days=4)]
    for ticket, started_at in enumerate(began, start=1):
        run = a_run_of(tenant, ticket, started_at=started_at)
        backend.store.append_run(run, RunStatus.PENDING, started_at)
        done = replace(a_step_row(StepStatus.COMPLETED), started_at=started_at - MINUTE, ended_at=started_at)
        backend.store.append_steps(run, [done], started_at)
    found = backend.progress.look(START + MINUTE, NOW).open_runs
    mine = {one.run.run_id: one.progress.completed for one in found if one.run.tenant_id == tenant}
    assert mine == {f"{tenant}-run-{ticket}": {"extract"} for ticket in (1, 2)}


def test_a_claim_is_held_by_the_first_who_takes_it(backend: Backend, tenant: str) -> None:
    first = claim(backend.claims, f"cvg-test-{tenant}", {"tenant": tenant, "run": "first"})
    second = claim(backend.claims, f"cvg-test-{tenant}", {"tenant": tenant, "run": "second"})
    assert first.is_held_by({"run": "first"})
    assert second.is_held_by({"run": "first"})
    assert not second.is_held_by({"run": "second"})


def test_a_job_id_that_nobody_holds_is_not_found(backend: Backend, tenant: str) -> None:
    assert backend.claims.find_claim(f"cvg-free-{tenant}") is None


def test_an_id_that_is_taken_by_a_forgotten_job_is_nobodys(backend: Backend, tenant: str) -> None:
    job_id = f"cvg-old-{tenant}"
    backend.forget(job_id)
    assert try_claim(backend.claims, job_id, {"tenant": tenant}) is None
    with pytest.raises(Unavailable, match="cannot be read"):
        claim(backend.claims, job_id, {"tenant": tenant})
    assert backend.jobs.find(f"cvg-free-{tenant}") is None
    backend.jobs.cancel(f"cvg-free-{tenant}")


def a_step_job(tenant_id: str, attempt: int = 1, **changes: Any) -> StepJob:
    query: dict[str, Any] = {
        "sql": "SELECT @date AS day, 1 AS n",
        "destination": f"target_{tenant_id}",
        "write_disposition": WriteDisposition.APPEND,
    }
    fields: dict[str, Any] = {
        "job_id": f"cvg-step-{tenant_id}-extract-{attempt}",
        "tenant_id": tenant_id,
        "work": QueryJob(
            **query | {key: changes.pop(key) for key in ("sql", "destination") if key in changes}
        ),
        "parameters": (BoundParameter(name="date", type="DATE", value="2026-03-15"),),
        "timeout_seconds": 600,
        "labels": {"tenant": tenant_id, "step": "extract"},
    }
    return StepJob(**fields | changes)


def test_a_step_job_runs_once_under_its_id_and_carries_its_labels(backend: Backend, owner: str) -> None:
    job = a_step_job(owner)
    backend.jobs.submit(job)
    with pytest.raises(AlreadyExists):
        backend.jobs.submit(job)
    report = _ended(backend, job.job_id)
    assert not report.has_failed
    assert report.labels["tenant"] == owner
    assert report.rows == 1
    assert report.ended_at is not None


def test_the_rows_of_a_job_that_appends_are_those_that_it_appends(backend: Backend, owner: str) -> None:
    for attempt in (1, 2):
        job = a_step_job(owner, attempt)
        backend.jobs.submit(job)
        assert _ended(backend, job.job_id).rows == 1


def test_a_dry_run_tells_the_statement_type_and_takes_no_job_id(backend: Backend, owner: str) -> None:
    job = a_step_job(owner)
    assert backend.jobs.dry_run(job).statement_type == "SELECT"
    assert backend.jobs.find(job.job_id) is None


@pytest.mark.parametrize("call", ["dry_run", "submit"])
def test_a_statement_on_a_missing_table_is_refused_for_good_in_bigquerys_words(
    backend: Backend, owner: str, call: str
) -> None:
    job = a_step_job(owner, sql="SELECT * FROM ordres", parameters=())
    backend.miss(job.work.destination, "ordres")
    try:
        answer = getattr(backend.jobs, call)(job)
    except WarehouseError as error:
        said, reason, may_pass = str(error), error.reason, isinstance(error, Unavailable)
    else:  # BigQuery may also take a job, and fail it.
        report = _ended(backend, answer.job_id)
        said, reason, may_pass = report.error_message, report.error_reason, False
    assert (reason, may_pass) == ("notFound", False)
    assert said.startswith("Not found: Table ")
    assert "ordres" in said
    assert not any(word in said for word in ("http", "POST", "Job ID"))


def _ended(backend: Backend, job_id: str) -> JobReport:
    for _ in range(200):
        report = backend.jobs.find(job_id)
        assert report is not None
        if report.is_done:
            return report
        backend.wait()
    pytest.fail("the job does not end")


def test_tickets_go_on_where_those_of_long_ago_end(backend: Backend, tenant: str) -> None:
    long_ago, lately = START - timedelta(days=90), START - timedelta(days=20)
    for ticket, started_at in [(1, long_ago), (3, long_ago), (5, lately)]:
        run = a_run_of(tenant, ticket, started_at=started_at)
        backend.store.append_run(run, RunStatus.COMPLETED, started_at)
    ledger = backend.facts.read_admission(tenant, "daily", f"{tenant}-run-new", NOW).ledger
    assert (ledger.last_ticket, ledger.first_ticket) == (5, 0)
    assert 4 in ledger.gaps


def test_a_tenant_that_ran_long_ago_only_goes_on_with_its_numbers(backend: Backend, tenant: str) -> None:
    long_ago = START - timedelta(days=90)
    run = a_run_of(tenant, 7, started_at=long_ago)
    backend.store.append_run(run, RunStatus.COMPLETED, long_ago)
    facts = backend.facts.read_admission(tenant, "daily", run.run_id, NOW)
    assert (facts.ledger.last_ticket, facts.ledger.first_ticket) == (7, 0)
    assert facts.ledger.use == Use(today=0, month=0, running=0)
    assert facts.repeated
    assert facts.repeated.status is RunStatus.COMPLETED


def test_the_sweeper_sees_a_gap_after_a_ticket_of_long_ago(backend: Backend, tenant: str) -> None:
    long_ago = START - timedelta(days=90)
    for ticket, started_at in [(7, long_ago), (9, START)]:
        run = a_run_of(tenant, ticket, started_at=started_at)
        backend.store.append_run(run, RunStatus.COMPLETED, started_at)
    gaps = [gap for gap in backend.progress.look(NOW, NOW).gaps if gap.tenant_id == tenant]
    assert (gaps[-1].after, gaps[-1].before) == (7, 9)


def test_a_run_that_failed_by_no_fault_of_the_tenants_does_not_count_against_the_day(
    backend: Backend, tenant: str
) -> None:
    ends = [EndReason.STEP_FAILED, *sorted(UNCOUNTED), None]
    for ticket, reason in enumerate(ends, start=1):
        run = a_run_of(tenant, ticket)
        status = RunStatus.FAILED if reason else RunStatus.COMPLETED
        backend.store.append_run(run, RunStatus.PENDING, START)
        backend.store.append_run(run, status, START + MINUTE, "it broke" if reason else "", reason)
    cancelled = a_run_of(tenant, len(ends) + 1)
    backend.store.append_run(cancelled, RunStatus.CANCELLED, START, "no", EndReason.CANCELLED)
    use = backend.facts.read_admission(tenant, "", "", NOW).ledger.use
    assert (use.today, use.month, use.running) == (3, len(ends) + 1, 0)


def test_a_ledger_tells_what_runs_of_the_month_were_billed_for_and_hold(
    backend: Backend, tenant: str
) -> None:
    for ticket, config_id, held, billed in (
        (1, "daily", 100, 40),
        (2, "daily", 100, None),
        (3, "daily", None, 7),
        (4, "daily", None, None),
        (5, "hourly", None, None),
    ):
        run = a_run_of(tenant, ticket, config_id=config_id, bytes_held=held)
        backend.store.append_run(run, RunStatus.PENDING, START)
        backend.store.append_run(run, RunStatus.FAILED, START + MINUTE, bytes_billed=billed)
        backend.store.append_run(run, RunStatus.FAILED, START + 2 * MINUTE, bytes_billed=999)
    for ticket, held in ((6, 30), (7, None)):
        run = a_run_of(tenant, ticket, bytes_held=held)
        backend.store.append_run(run, RunStatus.PENDING, START)
    in_another_month = a_run_of(tenant, 8, started_at=START - timedelta(days=20), bytes_held=5)
    backend.store.append_run(in_another_month, RunStatus.PENDING, START)
    assert backend.facts.read_admission(tenant, "daily", "", NOW).ledger.spending == {
        "daily": Spending(billed=147, held=30, boundless=1, unknown=1),
        "hourly": Spending(unknown=1),
    }


def test_progress_tells_what_each_level_was_billed_for(backend: Backend, tenant: str) -> None:
    run = a_run_of(tenant, 1, bytes_held=100)
    backend.store.append_run(run, RunStatus.PENDING, START)
    ended: dict[str, Any] = {"ended_at": START + MINUTE, "bytes_billed": 10}
    rows = [
        a_step_row(StepStatus.RUNNING, job_id="one"),
        a_step_row(StepStatus.RUNNING, job_id="one", **ended),
        a_step_row(StepStatus.COMPLETED, job_id="two", job_name="publish", job_index=1, **ended),
        a_step_row(StepStatus.FAILED, step_id="failed", job_id="three", ended_at=START + MINUTE),
        a_step_row(StepStatus.FAILED, step_id="checked", job_id="seven", **ended),
        a_step_row(StepStatus.SKIPPED, step_id="skipped", ended_at=START),
        a_step_row(StepStatus.COMPLETED, step_id="theirs", job_id="four", job_project="customer", **ended),
        a_step_row(StepStatus.COMPLETED, level=2, step_id="other", job_id="five", ended_at=START + MINUTE),
        a_step_row(StepStatus.RUNNING, level=3, step_id="last", job_id="six"),
    ]
    for minutes in (1, 2):
        backend.store.append_steps(run, rows, START + minutes * MINUTE)
    found = backend.progress.find(tenant, run.run_id, NOW)
    assert found is not None
    assert (found.run.bytes_held, dict(found.progress.billed)) == (100, {1: 30, 2: None})
