"""A status that is waited for: it comes with the run's news, and holds up nobody else."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from threading import BoundedSemaphore

from common.quality.check_queries import CheckView
from common.runs.run import RunStatus, StepStatus
from common.runs.run_queries import HistoryFilter, RunQueries
from common.runs.views import AttemptView, Figures, RunDetails, RunView, StepView, levels_of
from tests.fakes.clock import START, VirtualClock
from tests.fakes.jobs import MemoryJobs
from tests.fakes.runs import MemoryRuns


class ChangingRun:
    """A run whose step changes, and which ends, at moments."""

    def __init__(self, clock: VirtualClock, **states: tuple[float, str]) -> None:
        self.clock, self.states, self.looks = clock, states, 0

    def read_run(self, tenant_id: str, run_id: str, now: datetime) -> RunDetails | None:
        self.looks += 1
        passed = (self.clock() - START).total_seconds()
        told = {"run": "PENDING"} | {name: state for name, (at, state) in self.states.items() if passed >= at}
        steps = [StepView(step_id="a", status=StepStatus(told["step"]), attempt=1)] if "step" in told else []
        return RunDetails(
            run_id=run_id,
            tenant_id=tenant_id,
            config_id="daily",
            status=RunStatus(told["run"]),
            started_at=START,
            levels=levels_of((("a",),), steps),
        )

    def read_receipt(self, tenant_id: str, run_id: str, since: datetime) -> Sequence[AttemptView]:
        raise NotImplementedError

    def read_checks(self, tenant_id: str, run_id: str, since: datetime) -> Sequence[CheckView]:
        raise NotImplementedError

    def read_figures(
        self, tenant_id: str, run_ids: Collection[str], since: datetime
    ) -> Mapping[str, Figures]:
        raise NotImplementedError

    def read_history(self, tenant_id: str, wanted: HistoryFilter) -> Sequence[RunView]:
        raise NotImplementedError


def a_tenants_runs(clock: VirtualClock, reader: ChangingRun, waiting: int = 1) -> RunQueries:
    return RunQueries(
        reads=reader,
        facts=MemoryRuns(),
        claims=MemoryJobs(clock),
        clock=clock,
        sleep=clock.sleep,
        waiting=BoundedSemaphore(waiting),
    )


def seconds_gone(clock: VirtualClock) -> float:
    return (clock() - START).total_seconds()


def test_news_of_a_step_or_an_end_comes_before_the_time_is_up() -> None:
    clock = VirtualClock()
    reader = ChangingRun(clock, step=(4.0, "RUNNING"), run=(9.0, "COMPLETED"))
    runs = a_tenants_runs(clock, reader)
    run = runs.status("acme", "r", 20)
    assert run.levels[0].steps[0].status is StepStatus.RUNNING
    assert 4.0 <= seconds_gone(clock) < 9.0
    assert runs.status("acme", "r", 20).status is RunStatus.COMPLETED
    assert seconds_gone(clock) < 20


def test_a_run_without_news_is_told_when_the_time_is_up() -> None:
    clock = VirtualClock()
    reader = ChangingRun(clock)
    assert a_tenants_runs(clock, reader).status("acme", "r", 20).status is RunStatus.PENDING
    assert seconds_gone(clock) <= 20
    assert reader.looks > 3


def test_an_ended_run_and_one_that_is_not_waited_for_are_looked_at_once() -> None:
    clock = VirtualClock()
    for reader, wait in ((ChangingRun(clock, run=(0.0, "FAILED")), 20), (ChangingRun(clock), 0)):
        a_tenants_runs(clock, reader).status("acme", "r", wait)
        assert (reader.looks, seconds_gone(clock)) == (1, 0)


def test_who_would_be_one_too_many_does_not_wait() -> None:
    clock = VirtualClock()
    reader = ChangingRun(clock)
    runs = a_tenants_runs(clock, reader)
    with runs.waiting:
        runs.status("acme", "r", 20)
    assert (reader.looks, seconds_gone(clock)) == (1, 0)
    runs.status("acme", "r", 20)
    assert reader.looks > 1
