"""A status that is waited for: it comes with the run's news, and holds up nobody else."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from threading import BoundedSemaphore
from typing import Any

from common.runs.reading import HistoryFilter, RunLog
from common.runs.run import RunStatus
from tests.fakes.clock import START, VirtualClock
from tests.fakes.jobs import MemoryJobs
from tests.fakes.runs import MemoryRuns


class ChangingRun:
    """A run whose step changes, and which ends, at moments."""

    def __init__(self, clock: VirtualClock, **states: tuple[float, str]) -> None:
        self.clock, self.states, self.looks = clock, states, 0

    def read_run(self, tenant_id: str, run_id: str, now: datetime) -> Mapping[str, Any] | None:
        self.looks += 1
        passed = (self.clock() - START).total_seconds()
        told = {"run": "PENDING"} | {name: state for name, (at, state) in self.states.items() if passed >= at}
        steps = [{"step_id": "a", "status": told["step"], "attempt": 1}] if "step" in told else []
        return {
            "pipeline_logging_id": run_id,
            "status": told["run"],
            "steps": steps,
            "run_metadata": '{"levels": [["a"]]}',
            "parameters": "{}",
        }

    def read_receipt(self, tenant_id: str, run_id: str, since: datetime) -> Sequence[Mapping[str, Any]]:
        raise NotImplementedError

    def read_checks(self, tenant_id: str, run_id: str, since: datetime) -> Sequence[Mapping[str, Any]]:
        return ()

    def read_figures(
        self, tenant_id: str, run_ids: Collection[str], since: datetime
    ) -> Sequence[Mapping[str, Any]]:
        raise NotImplementedError

    def read_history(self, tenant_id: str, wanted: HistoryFilter) -> Sequence[Mapping[str, Any]]:
        raise NotImplementedError


def a_log(clock: VirtualClock, reader: ChangingRun, waiting: int = 1) -> RunLog:
    return RunLog(
        reader=reader,
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
    log = a_log(clock, reader)
    run = log.status("acme", "r", 20)
    assert run["levels"][0]["steps"][0]["status"] == "RUNNING"
    assert 4.0 <= seconds_gone(clock) < 9.0
    assert log.status("acme", "r", 20)["status"] == RunStatus.COMPLETED
    assert seconds_gone(clock) < 20


def test_a_run_without_news_is_told_when_the_time_is_up() -> None:
    clock = VirtualClock()
    reader = ChangingRun(clock)
    assert a_log(clock, reader).status("acme", "r", 20)["status"] == "PENDING"
    assert seconds_gone(clock) <= 20
    assert reader.looks > 3


def test_an_ended_run_and_one_that_is_not_waited_for_are_looked_at_once() -> None:
    clock = VirtualClock()
    for reader, wait in ((ChangingRun(clock, run=(0.0, "FAILED")), 20), (ChangingRun(clock), 0)):
        a_log(clock, reader).status("acme", "r", wait)
        assert (reader.looks, seconds_gone(clock)) == (1, 0)


def test_who_would_be_one_too_many_does_not_wait() -> None:
    clock = VirtualClock()
    reader = ChangingRun(clock)
    log = a_log(clock, reader)
    with log.waiting:
        log.status("acme", "r", 20)
    assert (reader.looks, seconds_gone(clock)) == (1, 0)
    log.status("acme", "r", 20)
    assert reader.looks > 1
