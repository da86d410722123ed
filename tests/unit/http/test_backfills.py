"""A pipeline runs for each interval of the past, by way of the queue, within the plan."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from common.pipelines.secret_values import NoSeal
from common.runs.quotas import Limits
from common.tenants.keyring import Keyring
from common.tenants.parameter_seals import KeyringSeal
from tests.fakes.seals import a_ring
from tests.unit.http.world import OTHER, World

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
    assert (body["status"], body["limit_name"], body["used"], body["limit"]) == (429, name, 7, 6)
    assert world.queue.rows == []


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
        ({"step": "week"}, "/step"),
        ({"max_parallel": 0}, "/max_parallel"),
        ({"parameters": {"regin": "EU"}}, "/regin"),
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
    waiting = [row.settled.waiting.parameters["token"] for row in world.queue.rows]
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
