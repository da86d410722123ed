"""Who follows whom, and what has completed, as the central tables tell it."""

from datetime import time, timedelta
from typing import Any

from common.pipelines.intervals import Interval
from common.pipelines.lateness import Deadline, Lateness
from common.queue.waiting import AdmissionResult, WaitingRun
from common.runs.run import Run, RunStatus, Trigger, TriggerType
from common.times import to_rfc3339, utc_now
from common.warehouse.bigquery import Central, Queries
from common.warehouse.following import CONFIGS_AND_PROFILES, Declared, FollowingRows
from common.warehouse.queue import QueueRows
from common.warehouse.runs import RunRows
from common.warehouse.streaming import Streaming
from common.warehouse.unchanged import Memory
from tests.unit.runs.examples import a_run

FILE = "pipeline: {name: Report}\nafter: [daily]\nsteps: []\n"


def a_config(tenant_id: str, config_id: str, text: str, **more: Any) -> dict[str, Any]:
    now = to_rfc3339(utc_now())
    usual = {"version": 1, "content_hash": "0", "is_active": True, "priority": None, "created_at": now}
    own = {"tenant_id": tenant_id, "config_id": config_id, "pipeline_yaml": text, "recorded_at": now}
    return usual | own | more


def a_profile(tenant_id: str, status: str) -> dict[str, Any]:
    now = to_rfc3339(utc_now())
    return {
        "tenant_id": tenant_id,
        "company_name": "Acme",
        "admin_email": "a@acme.example",
        "tenant_dataset_id": tenant_id,
        "status": status,
        "created_at": now,
        "recorded_at": now,
    }


def test_rows_tell_who_follows_and_what_has_been_followed(bootstrapped: Central) -> None:
    now, queries, streaming = utc_now(), Queries(central=bootstrapped), Streaming(central=bootstrapped)
    streaming.append(
        "tenant_profiles",
        {name: a_profile(name, status) for name, status in (("fa", "ACTIVE"), ("fb", "SUSPENDED"))},
    )
    configs = [
        a_config("fa", "report", FILE),
        a_config("fa", "daily", "pipeline: {name: Daily}\nsteps: []\n"),
        a_config("fa", "thereafter", "# thereafter\npipeline: {name: No}\nsteps: []\n"),
        a_config("fa", "gone", FILE, is_active=False),
        a_config("fb", "report", FILE),
    ]
    streaming.append("tenant_pipeline_configs", {str(number): row for number, row in enumerate(configs)})
    interval = Interval(start=now - timedelta(days=1), end=now)
    runs, store = [], RunRows(streaming=streaming)

    def append(run_id: str, status: RunStatus, **more: Any) -> Run:
        run = a_run(tenant_id="fa", run_id=run_id, started_at=now - timedelta(minutes=5), **more)
        store.append_run(run, RunStatus.PENDING, now - timedelta(minutes=5))
        if status is not RunStatus.PENDING:
            store.append_run(run, status, now)
        runs.append(run)
        return run

    append("fa-1", RunStatus.COMPLETED, interval=interval)
    append("fa-2", RunStatus.COMPLETED)
    append("fa-3", RunStatus.FAILED)
    append("fa-4", RunStatus.PENDING)
    after = Trigger(type=TriggerType.AFTER, by="fa-1")
    append("fa-5", RunStatus.PENDING, config_id="report", trigger=after)
    waiting = WaitingRun(
        tenant_id="fa",
        run_id="fa-6",
        config_id="mail",
        config_version=1,
        priority=5,
        due_at=now,
        added_at=now,
        run_date=now.date(),
        trigger=Trigger(type=TriggerType.AFTER, by="fa-1"),
    )
    QueueRows(queries=queries, streaming=streaming).append(
        [AdmissionResult(waiting=waiting, status=RunStatus.QUEUED)], now
    )
    memory: Memory[Declared] = Memory(central=bootstrapped, tables=CONFIGS_AND_PROFILES)
    reader = FollowingRows(queries=queries, memory=memory)
    (follower,) = [one for one in reader.followers(now) if one.tenant_id in {"fa", "fb"}]
    assert (follower.config_id, follower.after, follower.priority) == ("report", ("daily",), 5)
    found = reader.completions({("fa", "daily"), ("fb", "daily")}, now - timedelta(hours=1))
    assert {one.run_id: one.followed_by for one in found} == {
        "fa-1": frozenset({"report", "mail"}),
        "fa-2": frozenset(),
    }
    (first,) = [one for one in found if one.run_id == "fa-1"]
    assert (first.interval, first.run_date) == (interval, runs[0].run_date)
    assert reader.completions({("fa", "daily")}, now + timedelta(hours=1)) == []


def test_rows_tell_who_is_expected_and_who_has_completed_in_time(bootstrapped: Central) -> None:
    now, queries, streaming = utc_now(), Queries(central=bootstrapped), Streaming(central=bootstrapped)
    streaming.append(
        "tenant_profiles",
        {name: a_profile(name, status) for name, status in (("la", "ACTIVE"), ("lb", "SUSPENDED"))},
    )
    late = 'pipeline: {name: Daily}\nlate: {by: "06:00"}\nsteps: []\n'
    configs = [
        a_config("la", "daily", late),
        a_config("la", "plain", "pipeline: {name: Translated, description: too late}\nsteps: []\n"),
        a_config("lb", "daily", late),
    ]
    streaming.append("tenant_pipeline_configs", {f"l{number}": row for number, row in enumerate(configs)})
    store, deadline = (
        RunRows(streaming=streaming),
        Deadline(since=now - timedelta(days=1), by=now),
    )
    for number, (config_id, status, began, ended) in enumerate(
        (
            ("good", RunStatus.COMPLETED, 60, 1),
            ("failed", RunStatus.FAILED, 60, 1),
            ("begun", RunStatus.PENDING, 60, 1),
            ("too_late", RunStatus.COMPLETED, 60, -1),
            ("of_yesterday", RunStatus.COMPLETED, 24 * 60 + 1, 1),
        )
    ):
        began_at = now - timedelta(minutes=began)
        run = a_run(tenant_id="la", run_id=f"la-{number}", config_id=config_id, started_at=began_at)
        store.append_run(run, status, now - timedelta(minutes=ended))
    memory: Memory[Declared] = Memory(central=bootstrapped, tables=CONFIGS_AND_PROFILES)
    reader = FollowingRows(queries=queries, memory=memory)
    found = [one for one in reader.expected(now) if one.tenant_id in {"la", "lb"}]
    assert [(one.config_id, one.lateness) for one in found] == [
        ("daily", Lateness(by=time(6), timezone="UTC"))
    ]
    keys = {("la", name) for name in ("good", "failed", "begun", "too_late", "of_yesterday")}
    assert reader.completed(keys | {("lb", "good")}, deadline) == {("la", "good")}
