"""Other systems are told of each state that a run comes to, and nothing fails because they cannot be."""

from dataclasses import replace
from datetime import timedelta

import pytest

from common.runs.attempts import skipped_row
from common.runs.events import Announcer, AnnouncingRuns
from common.runs.run import RunStatus, StepStatus
from tests.fakes.clock import START, VirtualClock
from tests.fakes.events import MemoryEvents
from tests.fakes.runs import MemoryRuns
from tests.unit.runs.examples import a_run, a_step
from tests.unit.schedules.platform import Platform


class Announced:
    """Run rows that are told of."""

    def __init__(self) -> None:
        self.rows, self.events = MemoryRuns(), MemoryEvents()
        self.runs = AnnouncingRuns(store=self.rows, announcer=Announcer(publisher=self.events))

    def states(self) -> list[str]:
        return [event.status.value for event in self.events.sent]


@pytest.fixture
def announced() -> Announced:
    return Announced()


def test_a_run_is_told_of_three_times(announced: Announced) -> None:
    run, step = a_run(), skipped_row(a_step("extract"), VirtualClock())
    announced.runs.append_run(run, RunStatus.PENDING, START)
    for level, status in [(1, StepStatus.RUNNING), (1, StepStatus.COMPLETED), (2, StepStatus.RUNNING)]:
        announced.runs.append_steps(run, [replace(step, level=level, status=status)], START)
    announced.runs.append_run(run, RunStatus.COMPLETED, START + timedelta(minutes=1))
    assert announced.states() == ["PENDING", "RUNNING", "COMPLETED"]
    assert announced.events.sent[-1].occurred_at == START + timedelta(minutes=1)


def test_a_state_told_again_has_the_same_event_id_and_another_state_another(announced: Announced) -> None:
    for status in (RunStatus.PENDING, RunStatus.FAILED, RunStatus.FAILED):
        announced.runs.append_run(a_run(), status, START)
    first, second, third = (event.event_id for event in announced.events.sent)
    assert first != second == third


def test_a_row_is_kept_where_nobody_can_be_told(announced: Announced) -> None:
    announced.events.is_down = True
    announced.runs.append_run(a_run(), RunStatus.FAILED, START)
    assert len(announced.rows.run_rows) == 1


def test_waiting_runs_and_firings_are_told_of_as_well() -> None:
    platform = Platform()
    platform.add_tenant()
    for number in range(4):
        platform.request(f"request-{number}")
    platform.schedule("0 12 * * *")
    platform.dispatcher.tick()
    for _ in range(3):
        platform.end(platform.running()[0])
    states: dict[str, list[str]] = {}
    for event in platform.events.sent:
        states.setdefault(event.run.run_id, []).append(event.status.value)
    assert sorted("-".join(each) for each in states.values()) == [
        "PENDING-COMPLETED",
        "PENDING-COMPLETED",
        "PENDING-COMPLETED",
        "QUEUED-PENDING",
        "QUEUED-PENDING",
    ]
