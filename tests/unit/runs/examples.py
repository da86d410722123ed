"""Runs, pipelines and messages for tests, each field open to change."""

from datetime import date
from typing import Any

from common.pipelines.candidates import CANDIDATE
from common.pipelines.pipeline import Pipeline, Step
from common.pipelines.plans import PUBLISH, CheckJob, CopyJob, QueryJob, WriteDisposition
from common.quality.checks import Check
from common.runs.level_messages import LevelMessage
from common.runs.run import Run, Trigger, TriggerType
from tests.fakes.clock import START

RUN_ID = "0c5f3a80-6d8f-4d0e-9d0b-000000000001"


def a_run(**changes: Any) -> Run:
    fields: dict[str, Any] = {
        "tenant_id": "acme",
        "run_id": RUN_ID,
        "config_id": "daily",
        "config_version": 1,
        "ticket": 1,
        "started_at": START,
        "run_date": date(2026, 3, 15),
        "levels": (("extract",), ("transform",)),
        "trigger": Trigger(type=TriggerType.API, by="api_user"),
    }
    return Run(**fields | changes)


def a_query(destination: str, **changes: Any) -> QueryJob:
    fields: dict[str, Any] = {
        "sql": f"SELECT 1 AS {destination}",
        "destination": destination,
        "write_disposition": WriteDisposition.APPEND,
    }
    return QueryJob(**fields | changes)


def a_step(step_id: str, level: int = 1, **changes: Any) -> Step:
    fields: dict[str, Any] = {
        "id": step_id,
        "ps_type": "bq_etl.query",
        "index": 0,
        "level": level,
        "jobs": (a_query(step_id),),
        "target_table": step_id,
    }
    return Step(**fields | changes)


def a_step_of_two_jobs(step_id: str, level: int = 1, **changes: Any) -> Step:
    """Make a step that fills a table beside its target first, and then its target."""
    jobs = (a_query(f"{step_id}_beside"), a_query(step_id, name="publish"))
    return a_step(step_id, level, jobs=jobs, **changes)


def a_checked_step(step_id: str, level: int = 1, *, checks: tuple[Check, ...] = (), **changes: Any) -> Step:
    """Make a step whose rows are checked in a candidate before a copy publishes them."""
    candidate = f"p.acme.{CANDIDATE}"
    rows = a_query(
        CANDIDATE, sql="SELECT 1 AS id", candidate_for=step_id, write_disposition=WriteDisposition.EMPTY
    )
    check = CheckJob(
        sql=f"SELECT COUNT(*) FROM `{candidate}`", checks=checks, table=step_id, checked=candidate
    )
    publish = CopyJob(name=PUBLISH, sources=(candidate,), destination=step_id)
    return a_step(step_id, level, jobs=(rows, check, publish), **changes)


def a_pipeline(*levels: tuple[Step, ...], **changes: Any) -> Pipeline:
    fields: dict[str, Any] = {
        "tenant_id": "acme",
        "config_id": "daily",
        "version": 1,
        "name": "Daily",
        "levels": levels or ((a_step("extract"),), (a_step("transform", 2),)),
    }
    return Pipeline(**fields | changes)


def a_message(pipeline: Pipeline | None = None, **changes: Any) -> LevelMessage:
    fields: dict[str, Any] = {"run": a_run(), "pipeline": pipeline or a_pipeline(), "level": 1}
    return LevelMessage(**fields | changes)
