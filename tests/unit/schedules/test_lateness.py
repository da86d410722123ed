"""Who is late is told of once, whoever looks, and by a minute's bounded work."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

import pytest

from common.errors import Unavailable
from common.pipelines.lateness import Deadline, Lateness
from common.pipelines.schedule import Schedule
from common.runs.events import Announcer
from common.schedules.lateness import LOOKED_BACK, MAX_A_MINUTE, ExpectedPipeline, LatePipelines
from tests.fakes.clock import VirtualClock
from tests.fakes.events import MemoryEvents
from tests.fakes.jobs import MemoryJobs

SIX = datetime.fromisoformat("2026-01-15T06:00:00+00:00")
READABLE = SIX + timedelta(minutes=2)
LONG_AGO = SIX - timedelta(days=9)
BY_SIX = Lateness(by=time(6), timezone="UTC")


@dataclass
class World:
    """Dispatchers on memory."""

    found: list[ExpectedPipeline] = field(default_factory=list)
    in_time: set[tuple[str, str]] = field(default_factory=set)
    asked: list[int] = field(default_factory=list)
    paused: set[str] = field(default_factory=set)
    is_down: bool = False

    def __post_init__(self) -> None:
        self.clock = VirtualClock(READABLE)
        self.jobs = MemoryJobs(self.clock)
        self.events = MemoryEvents()
        self.one, self.other = self.dispatcher(), self.dispatcher()

    def dispatcher(self) -> LatePipelines:
        return LatePipelines(
            reader=self,
            claims=self.jobs,
            announcer=Announcer(publisher=self.events),
            is_paused=lambda tenant_id, config_id: config_id in self.paused,
            clock=self.clock,
        )

    def expect(self, config_id: str, lateness: Lateness = BY_SIX, since: datetime = LONG_AGO) -> None:
        self.found.append(
            ExpectedPipeline(tenant_id="acme", config_id=config_id, version=1, since=since, lateness=lateness)
        )

    def expected(self, now: datetime) -> Sequence[ExpectedPipeline]:
        return self.found

    def completed(self, keys: Collection[tuple[str, str]], deadline: Deadline) -> Collection[tuple[str, str]]:
        if self.is_down:
            raise Unavailable("no answer")
        self.asked.append(len(keys))
        return self.in_time & set(keys)

    @property
    def told(self) -> list[str]:
        return [event.config_id for event in self.events.late]


def test_who_has_not_completed_by_the_time_is_told_of_and_nobody_else() -> None:
    world = World(in_time={("acme", "good")})
    world.expect("good")
    world.expect("bad")
    assert world.one() == 1
    (event,) = world.events.late
    assert (event.tenant_id, event.config_id, event.by) == ("acme", "bad", SIX)


def test_it_is_told_once_however_many_look_and_however_often() -> None:
    world = World()
    world.expect("bad")
    for _ in range(3):
        world.one()
        world.other()
        world.dispatcher()()
        world.clock.advance(timedelta(minutes=1))
    assert world.told == ["bad"]
    world.clock.advance(timedelta(days=1))
    world.one()
    assert world.told == ["bad", "bad"]


def test_an_instance_looks_once_at_each_deadline() -> None:
    world = World()
    world.expect("bad")
    for _ in range(5):
        world.one()
    assert world.asked == [1]


def test_nobody_is_looked_at_before_rows_can_be_read_or_long_after() -> None:
    world = World()
    world.expect("bad")
    world.clock.advance(timedelta(seconds=-1))
    world.one()
    world.clock.advance(LOOKED_BACK + timedelta(minutes=1))
    world.one()
    assert (world.asked, world.told) == ([], [])


def test_a_file_that_was_uploaded_after_the_time_is_expected_from_the_next_on() -> None:
    world = World()
    world.expect("new", since=SIX + timedelta(seconds=1))
    world.one()
    assert world.told == []


def test_a_minute_looks_at_so_many_and_the_next_at_the_rest() -> None:
    world = World()
    for number in range(MAX_A_MINUTE + 7):
        world.expect(f"bad-{number}")
    assert [world.one() for _ in range(3)] == [MAX_A_MINUTE, 7, 0]


def test_a_schedule_that_is_paused_is_expected_by_nobody() -> None:
    world = World(paused={"paused", "by-hand"})
    scheduled = Lateness(by=time(6), timezone="UTC", schedule=Schedule(cron="0 3 * * *"))
    world.expect("paused", scheduled)
    world.expect("bad", scheduled)
    world.one()
    assert world.told == ["bad"]


def test_what_cannot_be_read_is_looked_at_in_the_next_minute() -> None:
    world = World(is_down=True)
    world.expect("bad")
    with pytest.raises(Unavailable):
        world.one()
    world.is_down = False
    world.one()
    assert world.told == ["bad"]


def test_a_deadline_that_cannot_be_worked_out_keeps_no_other_from_being_told() -> None:
    world = World()
    world.expect("broken", Lateness(by=time(6), timezone="Moon/Base"))
    world.expect("bad")
    world.one()
    assert world.told == ["bad"]
