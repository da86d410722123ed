"""Schedules, queue and backfills on the real functions and tables, as a tenant and an operator see them."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from common.times import utc_now
from common.wiring import dispatcher
from tests.functional.site import Site, Tenant, a_pipeline_file

FILE = a_pipeline_file({"first": "SELECT 1 AS n"})
EVERY_MINUTE = json.dumps(json.loads(FILE) | {"schedule": {"cron": "* * * * *"}})


def history(tenant: Tenant, query: str = "") -> list[dict[str, Any]]:
    answer = tenant.call("GET", f"/api/v1/pipelines/history?limit=100{query}").get_json()
    runs: list[dict[str, Any]] = answer["runs"]
    return runs


def follow(tenant: Tenant, link: str) -> int:
    headers = {"X-API-Key": tenant.key}
    return tenant.site.functions["pipelines"].get(link, headers=headers).status_code


def states(tenant: Tenant, query: str = "") -> Counter[str]:
    return Counter(run["status"] for run in history(tenant, query))


def schedule_of(tenant: Tenant, config_id: str) -> dict[str, Any]:
    schedules = tenant.call("GET", "/api/v1/pipelines/schedules").get_json()["schedules"]
    (found,) = (schedule for schedule in schedules if schedule["config_id"] == config_id)
    return dict(found)


def test_a_schedule_fires_is_shown_and_can_be_stopped(site: Site, shared_tenant: Tenant) -> None:
    tenant, of_minutely = shared_tenant, "&pipeline_id=minutely"
    assert tenant.upload("minutely", EVERY_MINUTE).status_code == 201
    assert site.admin("GET", "/admin/overview").get_json()["due"] >= 1
    site.tick()
    site.drain()
    (run,) = [run for run in history(tenant, of_minutely) if run["trigger_type"] == "scheduler"][-1:]
    assert tenant.status(run["pipeline_logging_id"])["status"] == "COMPLETED"
    schedule = schedule_of(tenant, "minutely")
    assert schedule["last_fire_time"] < schedule["next_fire_time"]
    assert follow(tenant, schedule["links"]["last_run"]) == 200
    paused = tenant.call("POST", "/api/v1/pipelines/schedules/minutely/pause").get_json()
    assert (paused["paused"], paused["next_fire_time"]) == (True, None)
    before = len(history(tenant, of_minutely))
    site.tick()
    assert len(history(tenant, of_minutely)) == before


def test_a_later_firing_cancels_the_run_before_it_and_begins_when_that_has_ended(
    site: Site, shared_tenant: Tenant
) -> None:
    tenant, of_patient = shared_tenant, "&pipeline_id=patient"
    schedule = {"cron": "* * * * *", "overlap": "cancel_older"}
    file = json.dumps(json.loads(a_pipeline_file({"patient": "SELECT 1 AS n"})) | {"schedule": schedule})
    assert tenant.upload("patient", file).status_code == 201
    site.tick()
    (first,) = history(tenant, of_patient)
    later, made = utc_now() + timedelta(minutes=1), dispatcher()
    next_minute = replace(made, clock=lambda: later, queue=replace(made.queue, clock=lambda: later))
    next_minute.fill(later)
    second, _ = history(tenant, of_patient)
    assert (second["status"], tenant.status(first["pipeline_logging_id"])["status"]) == ("QUEUED", "PENDING")
    site.drain()
    assert tenant.status(first["pipeline_logging_id"])["status"] == "CANCELLED"
    next_minute.fill(utc_now() + timedelta(minutes=1))
    site.drain()
    assert states(tenant, of_patient) == {"COMPLETED": 1, "CANCELLED": 1}
    (counted,) = site.rows(f"SELECT COUNT(*) AS n FROM `{tenant.tenant_id}`.patient")
    assert counted["n"] == 1
    tenant.call("POST", "/api/v1/pipelines/schedules/patient/pause")


@pytest.fixture
def used_up(shared_tenant: Tenant) -> Iterator[int]:
    """Use up what the plan allows the tenant of the module a day, and return how many runs that are."""
    assert shared_tenant.upload("daily", FILE).status_code == 201
    shared_tenant.run("daily")
    daily = shared_tenant.own("GET", "/api/v1/tenants/quota").get_json()["daily"]
    shared_tenant.subscribe(daily_limit=daily["used"])
    yield daily["used"]
    shared_tenant.subscribe(daily_limit=daily["limit"])


def test_a_firing_that_the_plan_refuses_is_in_the_history_with_the_reason(
    site: Site, shared_tenant: Tenant, used_up: int
) -> None:
    tenant = shared_tenant
    assert tenant.upload("refused", EVERY_MINUTE).status_code == 201
    refused = site.admin("GET", "/admin/overview").get_json()["refused_today"]
    site.tick()
    (run,) = history(tenant, "&status=FAILED&pipeline_id=refused")[-1:]
    assert f"daily limit of your plan is reached: {used_up} of {used_up}" in run["error_message"]
    assert tenant.status(run["pipeline_logging_id"])["status"] == "FAILED"
    assert follow(tenant, schedule_of(tenant, "refused")["links"]["last_run"]) == 200
    assert site.admin("GET", "/admin/overview").get_json()["refused_today"] > refused
    tenant.call("POST", "/api/v1/pipelines/schedules/refused/pause")


def test_runs_wait_are_cancelled_and_begin_as_slots_come_free(
    site: Site, tenant: Tenant, shared_tenant: Tenant
) -> None:
    tenant.subscribe(concurrent_limit=1)
    assert tenant.upload("daily", FILE).status_code == 201
    ids = [tenant.run("daily", {"queue": True}) for _ in range(3)]
    assert states(tenant) == {"PENDING": 1, "QUEUED": 2}
    assert [run["pipeline_logging_id"] for run in history(tenant, "&status=QUEUED")] == [ids[2], ids[1]]
    assert not {run["pipeline_logging_id"] for run in history(shared_tenant)} & {*ids}
    refused = tenant.call("POST", "/api/v1/pipelines/run/daily", {})
    assert (refused.status_code, refused.get_json()["limit_name"]) == (429, "concurrent")
    cancelled = tenant.call("POST", f"/api/v1/pipelines/cancel/{ids[1]}")
    assert (cancelled.status_code, cancelled.get_json()["status"]) == (200, "CANCELLED")
    site.drain()
    assert states(tenant) == {"COMPLETED": 2, "CANCELLED": 1}
    assert history(tenant)[0]["pipeline_logging_id"] == ids[2]


def test_a_backfill_tells_its_numbers_runs_within_its_bounds_and_can_be_resumed(
    site: Site, tenant_ids: Any
) -> None:
    tenant = site.onboard(next(tenant_ids), plan="STARTER")
    assert tenant.upload("daily", FILE).status_code == 201
    path, days = "/api/v1/pipelines/backfill/daily", {"start": "2024-01-01", "end": "2024-01-03"}
    refused = tenant.call("POST", path, days | {"end": "2024-01-08"}).get_json()
    assert (refused["status"], refused["used"], refused["limit"]) == (429, 0, 6)
    plan = tenant.call("POST", path, days | {"dry_run": True})
    assert (plan.status_code, plan.get_json()["runs"], history(tenant)) == (200, 2, [])
    begun = tenant.call("POST", path, days | {"max_parallel": 1})
    assert (begun.status_code, states(tenant)) == (202, {"PENDING": 1, "QUEUED": 1})
    backfills = f"/api/v1/pipelines/backfills/{begun.get_json()['backfill_id']}"
    assert tenant.call("POST", f"{backfills}/cancel").status_code == 202
    site.drain()
    assert states(tenant) == {"CANCELLED": 2}
    assert tenant.call("POST", path, days | {"max_parallel": 2}).get_json()["runs"] == 2
    assert states(tenant) == {"CANCELLED": 2, "PENDING": 2}
    site.drain()
    assert tenant.call("GET", backfills).get_json()["states"] == {"COMPLETED": 2}
