"""A pipeline runs for each interval of the past, by way of the queue, within the plan."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from common.pipelines.secret_values import NoSeal
from common.runs.quotas import Limits
from common.runs.run import RunStatus
from common.tenants.encryption import Keyring, KeyringSeal
from tests.fakes.clock import START
from tests.fakes.seals import a_ring
from tests.unit.http.world import OTHER, World

DAY = timedelta(days=1)
WEEK: dict[str, Any] = {"start": "2024-01-01", "end": "2024-01-08"}


@pytest.fixture
def world() -> World:
    world = World()
    world.store.tenants["acme"].limits = Limits(daily=50, monthly=100, concurrent=5)
    return world


def backfill(world: World, **changes: Any) -> TestResponse:
    return world.ask("POST", "/api/v1/pipelines/backfill/daily", json=WEEK | changes)


def progress(world: World, response: TestResponse, **more: Any) -> dict[str, Any]:
    path = f"/api/v1/pipelines/backfills/{(response.json or {})['backfill_id']}"
    return dict(world.ask("GET", path, **more).json or {})


def test_each_interval_is_a_run_and_only_so_many_run_at_once(world: World) -> None:
    response = backfill(world, max_parallel=2)
    assert (response.status_code, (response.json or {})["runs"]) == (202, 7)
    body = progress(world, response)
    assert body["states"] == {"PENDING": 2, "QUEUED": 5}
    assert [run["status"] for run in body["runs"]] == ["PENDING"] * 2 + ["QUEUED"] * 5
    run = world.levels.take().run
    assert {parameter.name: parameter.value for parameter in run.parameters}["date"] == "2024-01-01"
    assert (run.run_date.isoformat(), run.trigger.type.value) == ("2024-01-01", "backfill")


def test_the_newest_can_go_first(world: World) -> None:
    body = progress(world, backfill(world, order="newest_first"))
    assert body["runs"][-1]["status"] == "PENDING"


def test_a_dry_run_tells_what_would_be_done_and_does_nothing(world: World) -> None:
    response = backfill(world, dry_run=True)
    assert (response.status_code, (response.json or {})["intervals"]) == (200, 7)
    assert world.queue.rows == []
    assert world.store.run_rows == []


def test_the_same_request_once_more_adds_nothing_to_what_is_under_way(world: World) -> None:
    first, second = backfill(world), backfill(world)
    assert (second.status_code, (second.json or {})["runs"]) == (200, 0)
    assert (first.json or {})["backfill_id"] == (second.json or {})["backfill_id"]


def test_a_cancelled_backfill_is_resumed_by_the_same_request(world: World) -> None:
    response = backfill(world)
    cancel = f"/api/v1/pipelines/backfills/{(response.json or {})['backfill_id']}/cancel"
    assert world.ask("POST", cancel, key=OTHER).status_code == 404
    for _ in range(2):
        assert world.ask("POST", cancel).status_code == 202
    assert progress(world, response)["states"]["CANCELLED"] >= 6
    assert (backfill(world).json or {})["runs"] >= 6


@pytest.mark.parametrize(("limits", "name"), [(Limits(daily=6, monthly=99, concurrent=3), "daily")])
def test_what_the_plan_has_no_room_for_is_refused_with_the_numbers(
    world: World, limits: Limits, name: str
) -> None:
    world.store.tenants["acme"].limits = limits
    body = backfill(world).json or {}
    assert (body["status"], body["limit_name"]) == (429, name)
    assert (body["needed"], body["used"], body["limit"], body["left"]) == (7, 0, 6, 6)
    assert "7 runs are needed, 0 of 6 are used, 6 are left" in body["detail"]
    assert world.queue.rows == []


def test_no_wait_is_advised_for_what_the_plan_never_has_room_for(world: World) -> None:
    world.store.tenants["acme"].limits = Limits(daily=6, monthly=99, concurrent=3)
    never = backfill(world)
    assert ("Retry-After" in never.headers, "resets_at" in (never.json or {})) == (False, False)
    world.store.tenants["acme"].limits = Limits(daily=8, monthly=99, concurrent=8)
    assert backfill(world, end="2024-01-04", max_parallel=8).status_code == 202
    tomorrow = backfill(world)
    body = tomorrow.json or {}
    assert (body["needed"], body["used"], body["left"]) == (7, 3, 5)
    assert int(tomorrow.headers["Retry-After"]) == 12 * 3600


def test_over_days_a_backfill_goes_on_where_the_plans_day_ends(world: World) -> None:
    world.store.tenants["acme"].limits = Limits(daily=3, monthly=99, concurrent=3)
    response = backfill(world, over_days=True, max_parallel=9)
    body = response.json or {}
    assert (response.status_code, body["runs"], body["days"]) == (202, 7, 3)
    assert progress(world, response)["states"] == {"PENDING": 3, "QUEUED": 4}
    due = sorted(entry.waiting.due_at for entry in world.queue.entries().values())
    midnight = START.replace(hour=0)
    assert due == [START] * 3 + [midnight + DAY] * 3 + [midnight + 2 * DAY]


def test_a_run_of_a_large_backfill_waits_where_others_have_used_its_day_up(world: World) -> None:
    world.store.tenants["acme"].limits = Limits(daily=1, monthly=99, concurrent=3)
    response = backfill(world, end="2024-01-03", over_days=True)
    world.ask("POST", "/api/v1/pipelines/run/daily", json={})
    assert progress(world, response)["states"] == {"PENDING": 1, "QUEUED": 1}


@pytest.mark.parametrize("name", ["date", "interval_start", "interval_end"])
def test_what_each_run_has_by_its_interval_cannot_be_given(world: World, name: str) -> None:
    response = backfill(world, parameters={name: "2020-01-01"}, dry_run=True)
    (fault,) = (response.json or {})["errors"]
    assert (response.status_code, fault["pointer"]) == (422, f"/parameters/{name}")


def test_other_parameters_are_another_backfill(world: World) -> None:
    world.store.tenants["acme"].limits = Limits(daily=50, monthly=100, concurrent=50)
    first = backfill(world, parameters={"token": "one"}).json or {}
    plain = backfill(world).json or {}
    assert (first["runs"], plain["runs"]) == (7, 7)
    assert first["backfill_id"] != plain["backfill_id"]


def upload(world: World, version: int) -> None:
    configs = world.store.tenants["acme"].configs
    configs["daily"] = replace(configs["daily"], version=version)


def test_another_version_is_another_backfill_and_told_is_which_ran_what(world: World) -> None:
    first = backfill(world).json or {}
    upload(world, 2)
    second = backfill(world).json or {}
    assert (first["config_version"], first["ran"]) == (1, [])
    assert (second["config_version"], second["runs"]) == (2, 7)
    assert second["ran"] == [{"config_version": 1, "intervals": 7}]
    third = backfill(world)
    assert (third.json or {})["ran"] == [{"config_version": version, "intervals": 7} for version in (1, 2)]
    assert {run["config_version"] for run in progress(world, third)["runs"]} == {2}


@pytest.mark.parametrize(("rerun", "runs"), [("all", 7), ("failed", 6), ("none", 0)])
def test_what_earlier_versions_ran_runs_again_as_is_asked(world: World, rerun: str, runs: int) -> None:
    response = backfill(world)
    first = world.levels.take().run
    world.store.append_run(first, RunStatus.COMPLETED, START)
    world.ask("POST", f"/api/v1/pipelines/backfills/{(response.json or {})['backfill_id']}/cancel")
    upload(world, 2)
    assert (backfill(world, rerun=rerun, dry_run=True).json or {})["runs"] == runs


def test_what_is_under_way_runs_no_second_time_beside_itself(world: World) -> None:
    backfill(world)
    assert (backfill(world, rerun="all").json or {})["runs"] == 0


def test_an_estimate_is_the_sum_over_the_intervals_or_says_of_how_many(world: World) -> None:
    world.jobs.bytes_of["extract"] = 2000
    body = backfill(world, dry_run=True).json or {}
    assert (body["bytes_estimate"], body["runs"], body["runs_estimated"]) == (14_000, 7, 7)
    world.store.tenants["acme"].limits = Limits(daily=999, monthly=999, concurrent=5)
    body = backfill(world, end="2024-10-27", dry_run=True).json or {}
    assert (body["bytes_estimate"], body["runs"]) == (600_000, 300)
    assert 0 < body["runs_estimated"] <= 120


def test_a_zone_that_is_not_named_is_the_pipelines(world: World) -> None:
    named = backfill(world, start="2024-01-01T00:00:00Z", end="2024-01-08T00:00:00.000Z").json or {}
    plain = backfill(world, start="2024-01-01T00:00", end="2024-01-08").json or {}
    assert named["backfill_id"] == plain["backfill_id"]


def test_what_would_read_more_than_it_may_is_refused_with_the_estimate(world: World) -> None:
    world.jobs.bytes_of["extract"] = 2000
    assert (backfill(world, dry_run=True).json or {})["bytes_estimate"] == 14_000
    body = backfill(world, maximum_bytes=13_999).json or {}
    (fault,) = body["errors"]
    assert (body["status"], fault["pointer"]) == (422, "/maximum_bytes")
    assert "14,000 bytes for 7 runs" in fault["rule"]
    assert world.queue.rows == []
    assert backfill(world, maximum_bytes=14_000).status_code == 202


def test_a_maximum_that_cannot_be_held_is_refused(world: World) -> None:
    world.jobs.refusals["dry run", "transform"] = (404, "notFound", "Not found: Table p:acme.extract")
    assert (backfill(world, dry_run=True).json or {})["bytes_estimate"] is None
    body = backfill(world, maximum_bytes=10**12).json or {}
    assert [fault["pointer"] for fault in body["errors"]] == ["/maximum_bytes"]
    assert world.queue.rows == []


def test_an_estimate_says_nothing_of_tables_that_are_not_ones_own(world: World) -> None:
    world.jobs.bytes_of["extract"] = 2000
    world.jobs.read_tables["extract"] = ("p.victim.orders",)
    there = backfill(world, dry_run=True).json or {}

    missing_table = "Not found: Table p:victim.orders was not found in location US"
    world.jobs.refusals["dry run", "extract"] = (404, "notFound", missing_table)
    missing = backfill(world, dry_run=True).json or {}

    assert there == missing
    assert there["bytes_estimate"] is None


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"end": "2023-12-31"}, "/end"),
        ({"start": "2000-01-01", "step": "hour"}, "/end"),
        ({"start": "2024-02-30"}, "/start"),
        ({"step": "fortnight"}, "/step"),
        ({"max_parallel": 0}, "/max_parallel"),
        ({"parameters": {"regin": "EU"}}, "/parameters/regin"),
    ],
)
def test_what_makes_no_sense_is_told(world: World, changes: dict[str, Any], pointer: str) -> None:
    response = backfill(world, **changes)
    assert response.status_code == 422
    assert [fault["pointer"] for fault in (response.json or {})["errors"]] == [pointer]


def test_another_tenants_backfill_is_not_there(world: World) -> None:
    response = backfill(world)
    path = f"/api/v1/pipelines/backfills/{(response.json or {})['backfill_id']}"
    assert world.ask("GET", path, key=OTHER).status_code == 404


def test_each_run_of_a_backfill_has_the_secret_as_it_was_sealed(world: World) -> None:
    response = backfill(world, parameters={"token": "s3cr3t"})
    assert response.status_code == 202
    (secret,) = world.levels.take().run.secrets
    waiting = [row.result.waiting.parameters["token"] for row in world.queue.rows]
    assert waiting == [secret.value] * len(waiting)
    assert "s3cr3t" not in repr(world.queue.rows)


def test_an_estimate_opens_no_secret() -> None:
    world = World(KeyringSeal(keyring=Keyring.read(a_ring("k1").public())))
    world.store.tenants["acme"].limits = Limits(daily=50, monthly=100, concurrent=5)
    response = backfill(world, parameters={"token": "s3cr3t"}, dry_run=True)
    assert (response.status_code, (response.json or {})["bytes_estimate"]) == (200, 0)


def test_a_backfill_with_a_secret_needs_the_operators_key_ring() -> None:
    world = World(NoSeal())
    response = backfill(world, parameters={"token": "s3cr3t"}, dry_run=True)
    assert (response.status_code, "CREDENTIALS_KEYRING" in response.text) == (503, True)
