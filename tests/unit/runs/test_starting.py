"""A request becomes one run, whatever dies on the way, and however often it is repeated."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from common.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    NotConfigured,
    NotFound,
    QuotaExceeded,
    Unavailable,
)
from common.pipelines.intervals import of_day
from common.pipelines.pipeline import Parameter, Pipeline, SealedValue
from common.pipelines.secret_values import NoSeal, Owner
from common.pipelines.selection import StepSelection
from common.runs.beginning import ReadyRun, RunAdmission
from common.runs.levels import LevelWorker
from common.runs.ports import AdmissionFacts, ConfigText
from common.runs.quotas import Limits
from common.runs.run import RunStatus, Trigger, TriggerType
from common.runs.starting import RunRequest, RunService, StartedRun
from common.runs.sweeping import Sweeper
from tests.fakes.clock import VirtualClock
from tests.fakes.jobs import MemoryJobs, Outcome
from tests.fakes.runs import MemoryLevels, MemoryProgress, MemoryRuns, MemoryTenant
from tests.fakes.seals import a_seal
from tests.unit.runs.examples import a_pipeline, a_run

DATE = Parameter(name="date", type="DATE")
REQUEST = RunRequest(
    tenant_id="acme",
    config_id="daily",
    trigger=Trigger(type=TriggerType.API, by="api_user"),
    parameters={"date": "2026-03-01"},
    idempotency_key="march",
)


class ProcessKilled(BaseException):
    """The function's process dies: nothing in the code may catch it."""


class Platform:
    """One tenant with one config; `disturb` is called at every point where the process can die."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.points: list[str] = []
        self.disturb: Callable[[str], None] = lambda point: None
        self.compiled = 0
        self.jobs = MemoryJobs(self.clock, self._at)
        self.rows = MemoryRuns(self._at)
        self.levels = MemoryLevels(self._at)
        config = ConfigText(config_id="daily", version=1, text="…")
        self.rows.tenants["acme"] = MemoryTenant(configs={"daily": config})
        self.run_service = RunService(
            run_admission=RunAdmission(
                facts=self.rows, store=self.rows, claims=self.jobs, levels=self.levels, clock=self.clock
            ),
            enqueuer=self,
            reader=MemoryProgress(self.rows),
            compile=self.compile,
            clock=self.clock,
            seal=a_seal(),
        )

    def enqueue_run(self, request: RunRequest, ready: ReadyRun, facts: AdmissionFacts) -> StartedRun:
        raise AssertionError("nobody waits here")

    def compile(self, *_: Any) -> Pipeline:
        self.compiled += 1
        return a_pipeline(parameters=(DATE, Parameter(name="token", type="STRING", secret=True)))

    def work(self) -> None:
        """Let the sweeper look, ten minutes later, and let every level that waits be carried out."""
        self.clock.advance(timedelta(minutes=11))
        Sweeper(
            reader=MemoryProgress(self.rows),
            store=self.rows,
            claims=self.jobs,
            levels=self.levels,
            compile=self.compile,
            clock=self.clock,
            quiet_after=timedelta(minutes=10),
        ).sweep()
        worker = self.worker()
        while self.levels.sent:
            worker.carry_out(self.levels.take())

    def worker(self) -> LevelWorker:
        """Return who carries out levels."""
        return LevelWorker(
            store=self.rows,
            checks=self.rows,
            earlier=self.rows,
            claims=self.jobs,
            identities=self.jobs,
            levels=self.levels,
            guard=lambda job, dry_run: "",
            clock=self.clock,
            sleep=self.clock.sleep,
            budget=timedelta(minutes=8),
        )

    def _at(self, point: str) -> None:
        self.points.append(point)
        self.disturb(point)


def test_a_request_becomes_a_run_with_its_parameters_and_its_first_message() -> None:
    platform = Platform()
    started = platform.run_service.start(REQUEST)
    message = platform.levels.take()
    assert (started.status, message.run, message.level) == (RunStatus.PENDING, started.run, 1)
    values = {parameter.name: parameter.value for parameter in started.run.parameters}
    assert values == {"date": "2026-03-01", "token": None}
    assert started.run.run_date.isoformat() == "2026-03-01"


def test_a_run_has_its_row_before_its_first_message_is_sent() -> None:
    platform = Platform()

    def die(point: str) -> None:
        if point.startswith("before run row"):
            raise ProcessKilled

    platform.disturb = die
    with pytest.raises(ProcessKilled):
        platform.run_service.start(REQUEST)
    assert platform.levels.sent == []


def test_repeats_with_an_idempotency_key_are_one_run() -> None:
    platform = Platform()
    first, second = platform.run_service.start(REQUEST), platform.run_service.start(REQUEST)
    assert second.run.run_id == first.run.run_id
    assert second.is_repeat
    assert len(platform.levels.sent) == 1


def test_no_ticket_is_taken_while_rows_would_not_arrive() -> None:
    platform = Platform()

    def kept() -> None:
        raise Unavailable("rows are kept from the table")

    platform.rows.check = kept
    with pytest.raises(Unavailable):
        platform.run_service.start(REQUEST)
    assert platform.jobs.claims == {}
    platform.rows.check = lambda: None
    assert platform.run_service.start(REQUEST).run.ticket == 1


def test_over_the_quota_nothing_is_compiled() -> None:
    platform = Platform()
    platform.rows.tenants["acme"].limits = Limits(daily=1, monthly=180, concurrent=3)
    platform.run_service.start(REQUEST)
    for key in ("april", "", "april"):
        with pytest.raises(QuotaExceeded):
            platform.run_service.start(replace(REQUEST, idempotency_key=key))
    assert platform.compiled == 1


def test_a_run_that_has_its_ticket_goes_on_though_the_rows_leave_no_room() -> None:
    platform = Platform()
    platform.rows.tenants["acme"].limits = Limits(daily=6, monthly=180, concurrent=1)
    platform.disturb = dies_at("before run row")
    with pytest.raises(ProcessKilled):
        platform.run_service.start(REQUEST)
    platform.disturb = lambda point: None
    platform.rows.append_run(
        a_run(ticket=2, started_at=platform.clock()), RunStatus.PENDING, platform.clock()
    )
    assert platform.run_service.start(REQUEST).run.ticket == 1


def dies_at(beginning: str) -> Callable[[str], None]:
    """Kill the process at the first point of that name."""

    def disturb(point: str) -> None:
        if point.startswith(beginning):
            raise ProcessKilled(point)

    return disturb


def test_requests_without_a_key_are_runs_of_their_own() -> None:
    platform = Platform()
    request = replace(REQUEST, idempotency_key="")
    assert platform.run_service.start(request).run.run_id != platform.run_service.start(request).run.run_id


def test_a_key_that_was_used_for_something_else_is_refused() -> None:
    platform = Platform()
    platform.run_service.start(REQUEST)
    with pytest.raises(Conflict, match="another request"):
        platform.run_service.start(replace(REQUEST, parameters={"date": "2026-03-02"}))


def test_one_tenants_key_is_not_another_tenants() -> None:
    assert REQUEST.run_id != replace(REQUEST, tenant_id="globex").run_id


def test_what_cannot_run_takes_no_ticket() -> None:
    platform = Platform()
    with pytest.raises(NotFound, match="no pipeline config 'weekly'"):
        platform.run_service.start(replace(REQUEST, config_id="weekly"))
    with pytest.raises(InvalidInput, match="/dat"):
        platform.run_service.start(replace(REQUEST, parameters={"dat": "2026-03-01"}))
    platform.rows.tenants["acme"].status = "SUSPENDED"
    with pytest.raises(Forbidden, match="SUSPENDED"):
        platform.run_service.start(REQUEST)
    assert platform.jobs.claims == {}


def test_a_refused_request_can_be_repeated_once_there_is_room() -> None:
    platform = Platform()
    for number in range(3):
        platform.run_service.start(replace(REQUEST, idempotency_key=f"other-{number}"))
    with pytest.raises(QuotaExceeded):
        platform.run_service.start(REQUEST)
    platform.work()
    assert platform.run_service.start(REQUEST).status is RunStatus.PENDING


def points_of_an_admission() -> list[int]:
    platform = Platform()
    platform.run_service.start(REQUEST)
    return list(range(len(platform.points)))


@pytest.mark.parametrize("is_repeated", [False, True])
@pytest.mark.parametrize("fatal", points_of_an_admission())
def test_a_process_killed_at_any_point_leaves_one_run_or_none_and_no_slot_taken(
    fatal: int, is_repeated: bool
) -> None:
    platform = Platform()

    def kill(_: str) -> None:
        if len(platform.points) > fatal:
            raise ProcessKilled

    platform.disturb = kill
    with pytest.raises(ProcessKilled):
        platform.run_service.start(REQUEST)
    platform.disturb = lambda point: None
    if is_repeated:
        platform.run_service.start(REQUEST)
    platform.work()
    runs = platform.rows.current().values()
    assert len(runs) <= 1
    assert len(platform.jobs.claims) <= 1
    assert all(row.status.is_terminal for row in runs)
    assert not is_repeated or [row.status for row in runs] == [RunStatus.COMPLETED]
    written = [job.work.destination for job in platform.jobs.effects]
    assert written in ([], ["extract", "transform"])
    for number in range(3):  # every slot is free
        platform.run_service.start(replace(REQUEST, idempotency_key=f"after-{number}"))


SECRET = "s3cr3t-s3cr3t"
WITH_SECRET = replace(REQUEST, parameters={"date": "2026-03-01", "token": SECRET})


def test_a_secret_goes_on_as_it_was_sealed_and_in_no_other_way() -> None:
    platform = Platform()
    run = platform.run_service.start(WITH_SECRET).run
    (secret,) = run.secrets
    assert isinstance(secret.value, SealedValue)
    assert (
        a_seal().open(Owner(tenant_id="acme", config_id="daily", parameter="token"), secret.value) == SECRET
    )
    assert platform.levels.take().run == run
    assert SECRET not in repr((WITH_SECRET, run, platform.rows.run_rows))


def test_a_secret_where_no_key_ring_is_configured_takes_no_ticket() -> None:
    platform = Platform()
    with pytest.raises(NotConfigured, match="CREDENTIALS_KEYRING"):
        replace(platform.run_service, seal=NoSeal()).start(WITH_SECRET)
    assert platform.jobs.claims == {}
    assert replace(platform.run_service, seal=NoSeal()).start(REQUEST).status is RunStatus.PENDING


def test_a_repeat_is_told_by_all_but_the_secret() -> None:
    platform = Platform()
    first = platform.run_service.start(WITH_SECRET)
    for token in (SECRET, "another"):
        repeat = replace(WITH_SECRET, parameters={"date": "2026-03-01", "token": token})
        assert platform.run_service.start(repeat).run.run_id == first.run.run_id
    for parameters in (REQUEST.parameters, {"date": "2026-03-02", "token": SECRET}):
        with pytest.raises(Conflict):
            platform.run_service.start(replace(WITH_SECRET, parameters=parameters))


def test_the_hash_of_a_request_tells_nothing_of_its_secret() -> None:
    run = Platform().run_service.start(WITH_SECRET).run
    other = (
        Platform()
        .run_service.start(replace(WITH_SECRET, parameters={"date": "2026-03-01", "token": "?"}))
        .run
    )
    assert run.request_hash == other.request_hash
    assert run.request_hash != Platform().run_service.start(REQUEST).run.request_hash


def test_a_run_that_is_asked_for_has_the_interval_of_its_day() -> None:
    platform = Platform()
    run = platform.run_service.start(REQUEST).run
    assert run.interval == of_day(date(2026, 3, 1), "UTC").interval


def test_a_run_for_an_interval_has_it_and_the_day_of_its_start() -> None:
    platform = Platform()
    request = replace(REQUEST, parameters={}, interval=("2026-03-01T06:00", "2026-03-01T07:00:00Z"))
    run = platform.run_service.start(request).run
    assert run.interval is not None
    assert (run.interval.end - run.interval.start, run.run_date) == (timedelta(hours=1), date(2026, 3, 1))


@pytest.mark.parametrize(
    ("interval", "parameters", "pointer"),
    [
        (("2026-02-30", "2026-03-01"), {}, "/interval/start"),
        (("2026-03-01", "2026-03-01"), {}, "/interval/end"),
        (("2026-03-01", "2026-03-02"), {"date": "2026-03-02"}, "/date"),
        (None, {"interval_start": "2026-03-02", "interval_end": "2026-03-01"}, "/interval_end"),
    ],
)
def test_an_interval_that_is_none_is_refused_by_its_place(
    interval: tuple[str, str] | None, parameters: dict[str, Any], pointer: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        Platform().run_service.start(replace(REQUEST, interval=interval, parameters=parameters))
    assert [fault.pointer for fault in refusal.value.violations] == [pointer]


def test_the_same_key_for_another_interval_is_another_request() -> None:
    platform = Platform()
    first = replace(REQUEST, parameters={}, interval=("2026-03-01", "2026-03-02"))
    platform.run_service.start(first)
    assert platform.run_service.start(first).is_repeat
    with pytest.raises(Conflict):
        platform.run_service.start(replace(first, interval=("2026-03-01", "2026-03-03")))


def test_a_run_of_chosen_steps_has_no_others_and_says_which_it_leaves_out() -> None:
    platform = Platform()
    run = platform.run_service.start(replace(REQUEST, selection=StepSelection(steps=("transform",)))).run
    message = platform.levels.take()
    assert (run.levels, run.left_out) == ((("transform",),), ("extract",))
    assert [step.id for step in message.pipeline.steps] == ["transform"]
    platform.levels.sent.clear()
    platform.work()
    assert platform.rows.current()[run.run_id].status is RunStatus.COMPLETED
    assert platform.rows.steps_of(run.run_id).keys() == {"transform"}


def test_a_step_that_there_is_not_costs_no_ticket() -> None:
    platform = Platform()
    with pytest.raises(InvalidInput, match="/steps/0: no step has the ID transfrom; did you mean transform"):
        platform.run_service.start(replace(REQUEST, selection=StepSelection(steps=("transfrom",))))
    assert platform.rows.run_rows == []
    assert platform.jobs.claims == {}


def test_a_repeat_that_chooses_other_steps_is_another_request() -> None:
    platform = Platform()
    chosen = StepSelection(steps=("transform", "extract"))
    run = platform.run_service.start(replace(REQUEST, selection=chosen)).run
    turned = StepSelection(steps=("extract", "transform"))
    assert platform.run_service.start(replace(REQUEST, selection=turned)).run.run_id == run.run_id
    for other in (None, StepSelection(steps=("extract",)), replace(chosen, upstream=True)):
        with pytest.raises(Conflict):
            platform.run_service.start(replace(REQUEST, selection=other))


def test_a_repeat_is_told_of_the_state_that_its_run_is_in() -> None:
    platform = Platform()
    platform.run_service.start(REQUEST)
    assert platform.run_service.start(REQUEST).status is RunStatus.PENDING
    platform.jobs.outcomes["extract"] = Outcome(takes=timedelta(hours=1))
    platform.worker().carry_out(platform.levels.take())
    assert platform.run_service.start(REQUEST).status is RunStatus.RUNNING
