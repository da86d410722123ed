"""A tenant sees when its pipelines run by themselves, and can stop that."""

from datetime import timedelta

import pytest

from common.tenants.keys import Scope
from tests.fakes.clock import START
from tests.unit.http.site import key_of
from tests.unit.http.world import OTHER, World
from tests.unit.schedules.examples import a_scheduled_config

SCHEDULES = "/api/v1/pipelines/schedules"


@pytest.fixture
def world() -> World:
    world = World()
    world.timetable.add(a_scheduled_config("30 12 * * *", last_fired=START - timedelta(hours=23.5)))
    return world


def test_schedules_are_listed_with_the_time_before_and_the_time_to_come(world: World) -> None:
    (schedule,) = (world.ask("GET", SCHEDULES).json or {})["schedules"]
    assert (schedule["config_id"], schedule["cron"], schedule["timezone"]) == ("daily", "30 12 * * *", "UTC")
    assert schedule["last_fire_time"] == "2026-03-14T12:30:00.000000Z"
    assert schedule["next_fire_time"] == "2026-03-15T12:30:00.000000Z"
    assert "/api/v1/pipelines/status/" in schedule["links"]["last_run"]


def test_another_tenants_schedules_are_not_there(world: World) -> None:
    assert world.ask("GET", SCHEDULES, key=OTHER).json == {"schedules": []}
    assert world.ask("POST", f"{SCHEDULES}/daily/pause", key=OTHER).status_code == 404


def test_a_paused_schedule_has_no_time_to_come_until_it_is_resumed(world: World) -> None:
    for _ in range(2):
        paused = world.ask("POST", f"{SCHEDULES}/daily/pause").json or {}
        assert (paused["paused"], paused["next_fire_time"]) == (True, None)
    resumed = world.ask("POST", f"{SCHEDULES}/daily/resume").json or {}
    assert (resumed["paused"], resumed["next_fire_time"]) == (False, "2026-03-15T12:30:00.000000Z")


def test_a_pipeline_without_a_schedule_cannot_be_paused(world: World) -> None:
    assert world.ask("POST", f"{SCHEDULES}/hourly/pause").status_code == 404


def test_a_key_that_only_reads_cannot_pause(world: World) -> None:
    key = key_of("acme", frozenset({Scope.READ}))
    assert world.ask("POST", f"{SCHEDULES}/daily/pause", key=key).status_code == 403
