"""Following runs, reading lists to their ends, and the answers' types."""

import inspect
from collections.abc import Iterator
from itertools import islice
from typing import Any, Union, cast, get_args, get_origin, get_type_hints, is_typeddict

import pytest

from common.client import (
    Content,
    StillRunning,
    backfills,
    configs,
    credentials,
    follow,
    keys,
    operator,
    quality,
    quotes,
    runs,
    schedules,
    tables,
    tenant,
)
from common.client.client import Client
from common.client.following import WAIT_SECONDS, Pace, ReadStatus
from common.client.operator import Operator
from common.client.runs import RunStatus
from common.http.openapi import api_document
from common.http.schemas import schemas
from tests.unit.client.server import ScriptedPlatform


def a_status(status: str, *steps: str) -> RunStatus:
    told = [{"step_id": f"s{number}", "status": step, "attempt": 1} for number, step in enumerate(steps)]
    return cast("RunStatus", {"status": status, "levels": [{"level": 1, "steps": told}]})


def read_one_by_one(*answers: RunStatus) -> ReadStatus:
    left = iter(answers)
    return lambda _wait: next(left)


def test_a_run_is_looked_at_until_it_has_ended() -> None:
    pauses: list[float] = []
    read = read_one_by_one(a_status("PENDING"), a_status("RUNNING"), a_status("FAILED"), a_status("RUNNING"))
    seen = [status["status"] for status in follow(read, sleep=pauses.append)]
    assert seen == ["PENDING", "RUNNING", "FAILED"]
    assert pauses == []


def test_the_platform_is_asked_to_wait_but_for_the_first_look() -> None:
    waits: list[int] = []
    answers = read_one_by_one(a_status("PENDING"), a_status("RUNNING"), a_status("COMPLETED"))

    def read(wait: int) -> RunStatus:
        waits.append(wait)
        return answers(wait)

    assert len(list(follow(read, sleep=lambda _: None))) == 3
    assert waits == [0, WAIT_SECONDS, WAIT_SECONDS]


def test_a_platform_that_has_waited_is_asked_again_at_once() -> None:
    pauses: list[float] = []
    read = read_one_by_one(a_status("RUNNING"), a_status("RUNNING"), a_status("COMPLETED"))
    clock = iter([0.0, 0.0, 20.0, 20.0, 21.0])
    list(follow(read, sleep=pauses.append, monotonic=lambda: next(clock)))
    assert pauses == [0.0]


def test_a_run_that_has_ended_is_looked_at_once() -> None:
    assert len(list(follow(read_one_by_one(a_status("COMPLETED"))))) == 1


def test_looks_grow_rare_while_nothing_changes_and_frequent_when_something_does() -> None:
    pauses: list[float] = []
    same = [a_status("RUNNING", "RUNNING")] * 4
    read = read_one_by_one(*same, a_status("RUNNING", "COMPLETED"), a_status("COMPLETED"))
    pace = Pace(first_seconds=1.0, max_seconds=2.0)
    list(follow(read, pace, sleep=pauses.append, monotonic=lambda: 0.0))
    assert pauses == [1.0, 1.5, 2.0]


def test_a_run_is_let_go_when_its_time_is_over() -> None:
    clock = iter(range(0, 100, 4))
    pace = Pace(limit_seconds=10.0)
    with pytest.raises(StillRunning, match="has not ended after 10 s"):
        list(
            follow(
                lambda _: a_status("RUNNING"),
                pace,
                sleep=lambda _: None,
                monotonic=lambda: float(next(clock)),
            )
        )


def test_a_history_is_read_over_all_its_pages(client: Client, platform: ScriptedPlatform) -> None:
    platform.answer(200, {"runs": [{"n": 1}, {"n": 2}], "next_cursor": "c1"})
    platform.answer(200, {"runs": [{"n": 3}], "next_cursor": None})
    assert [run["n"] for run in cast("Iterator[Any]", client.runs.each(status="FAILED"))] == [1, 2, 3]
    assert [asked.target.partition("?")[2] for asked in platform.asked] == [
        "status=FAILED",
        "status=FAILED&cursor=c1",
    ]


def test_a_list_whose_cursor_does_not_move_has_an_end(client: Client, platform: ScriptedPlatform) -> None:
    platform.answer(200, {"entries": [{"n": 1}], "next_before": "t"})
    assert len(list(islice(Operator(client.api).audit(), 10))) == 2


SCHEMAS = {
    runs.RunAccepted: "run_accepted",
    runs.Run: "run",
    runs.RunFigures: "run_figures",
    runs.RunStep: "run_step",
    runs.RunLevel: "run_level",
    runs.RunStatus: "run_status",
    runs.RunAttempt: "run_attempt",
    runs.RunReceipt: "run_receipt",
    runs.RunStatement: "run_statements/statements",
    runs.RunHistory: "run_history",
    runs.QueuedRun: "queue/runs",
    configs.ConfigSummary: "config_summary",
    configs.Config: "config",
    configs.ConfigParameter: "config_parameter",
    configs.ConfigSaved: "config_saved",
    configs.ConfigGraph: "config_graph",
    configs.PipelineShown: "config_graph/pipelines",
    configs.StepShown: "config_graph/steps",
    configs.TableShown: "config_graph/tables",
    configs.GraphEdge: "config_graph/edges",
    configs.Warned: "config_saved/warnings",
    configs.ConfigTested: "config_tested",
    configs.Tested: "config_tested/tests",
    configs.TestedRow: "config_tested/tests/missing",
    tables.Table: "table",
    tables.Column: "table_column",
    tables.LastWritten: "table/last_written",
    tables.Rows: "table_rows",
    backfills.BackfillPlan: "backfill_plan",
    backfills.IntervalsRan: "backfill_plan/ran",
    backfills.Backfill: "backfill",
    backfills.IntervalRun: "backfill/runs",
    schedules.Schedule: "schedule",
    tenant.Usage: "usage",
    tenant.UsageRow: "usage_row",
    tenant.Price: "price",
    quotes.Quote: "quote",
    quotes.QuoteStep: "quote_step",
    quality.Check: "step_check",
    quality.CheckResult: "check_result",
    quality.CheckResults: "quality",
    tenant.Budget: "budget",
    tenant.Quota: "quota",
    tenant.QuotaUse: "quota_use",
    tenant.Onboarded: "tenant_onboarded",
    tenant.OnboardingDryRun: "tenant_dry_run",
    tenant.OnboardingCheck: "tenant_dry_run/validation_results",
    keys.ApiKey: "key",
    keys.ApiKeyUsed: "key_used",
    keys.ApiKeyIssued: "api_key_issued",
    credentials.Credential: "credential",
    operator.BootstrapReport: "bootstrap_report",
    operator.TenantListed: "tenant_listed",
    operator.TenantProfile: "tenant",
    operator.TenantManifest: "tenant_manifest",
    operator.AuditEntry: "audit_entry",
    operator.Overview: "overview",
    operator.DispatcherJob: "scheduler",
}


def schema_of(place: str) -> dict[str, Any]:
    name, *members = place.split("/")
    found: Any = schemas()[name]
    for member in members:
        inner = found["properties"][member]
        found = inner.get("items", inner)
    return dict(found)


def json_type(hint: Any) -> set[str]:
    """Return the JSON types that a Python type is read from."""
    if get_origin(hint) in {Union, type(int | None)}:
        return set().union(*(json_type(part) for part in get_args(hint)))
    if is_typeddict(hint):
        return {"object"}
    plain = {str: "string", int: "integer", bool: "boolean", float: "number", type(None): "null"}
    return {plain.get(hint) or ("array" if get_origin(hint) is list else "object")}


def mismatches(answer: type, place: str) -> list[str]:
    """Name the members of an answer's type that the API's document has otherwise, or not at all."""
    schema, found = schema_of(place), []
    for name, hint in get_type_hints(answer).items():
        documented = schema["properties"].get(name)
        if documented is None:
            found.append(f"{name} is in no {place}")
            continue
        types = documented.get("type")
        told = {types} if isinstance(types, str) else set(types or ())
        if told and hint is not Any and told != json_type(hint):
            found.append(f"{name} is {sorted(told)}, not {sorted(json_type(hint))}")
        if name in answer.__required_keys__ - set(schema["required"]):  # type: ignore[attr-defined]
            found.append(f"{name} can be missing")
    return found


@pytest.mark.parametrize(("answer", "place"), SCHEMAS.items(), ids=lambda told: getattr(told, "__name__", ""))
def test_each_type_is_the_documents_own(answer: type, place: str) -> None:
    assert mismatches(answer, place) == []


def test_a_type_that_the_document_has_otherwise_is_found() -> None:
    assert mismatches(runs.RunStep, "run") != []
    assert "status is in no queue/runs" in mismatches(runs.RunAccepted, "queue/runs")


def test_every_type_of_an_answer_is_held_against_the_document() -> None:
    modules = (
        runs,
        configs,
        backfills,
        schedules,
        tenant,
        keys,
        credentials,
        operator,
        quality,
        quotes,
        tables,
    )
    own = {
        member
        for module in modules
        for _, member in inspect.getmembers(module, is_typeddict)
        if member.__module__ == module.__name__
    }
    assert own == set(SCHEMAS)


def test_every_path_of_the_client_is_in_the_document(client: Client, platform: ScriptedPlatform) -> None:
    """Call all there is and look the paths up."""
    lists = (
        "budget",
        "configs",
        "versions",
        "schedules",
        "api_keys",
        "credentials",
        "sources",
        "runs",
        "statements",
        "entries",
        "tenants",
        "tables",
        "results",
    )
    cursors = ("next_cursor", "next_before", "next_after")
    platform.answer(200, {name: [] for name in lists} | dict.fromkeys(cursors))
    for part in (client.runs, client.configs, client.backfills, client.schedules, client.tenant, client.keys):
        _call_all(part)
    _call_all(client.credentials)
    _call_all(client.tables)
    _call_all(client.quality)
    _call_all(Operator(client.api))
    document = api_document()
    known = {
        (method.upper(), tuple(path.split("/")))
        for path, methods in document["paths"].items()
        for method in methods
    }
    called = {(asked.method, tuple(asked.target.partition("?")[0].split("/"))) for asked in platform.asked}
    assert len(called) >= 30
    assert [call for call in sorted(called) if not any(_fits(call, route) for route in known)] == []


def _call_all(part: Any) -> None:
    for name, method in inspect.getmembers(type(part), inspect.isfunction):
        if name.startswith("_"):
            continue
        required = [
            parameter
            for parameter in inspect.signature(method).parameters.values()
            if parameter.default is parameter.empty
            and parameter.kind is parameter.POSITIONAL_OR_KEYWORD
            and parameter.name != "self"
        ]
        outcome = getattr(part, name)(*(_value(parameter) for parameter in required))
        if isinstance(outcome, Iterator):
            list(outcome)


def _value(parameter: inspect.Parameter) -> Any:
    given: dict[str, Any] = {"request": {}, "change": {}, "secret": {}, "sources": []}
    if parameter.name == "content":
        return Content.yaml(b"")
    return given.get(parameter.name, "pause" if parameter.name == "what" else "x")


def _fits(call: tuple[str, tuple[str, ...]], route: tuple[str, tuple[str, ...]]) -> bool:
    method, path = call
    return (
        method == route[0]
        and len(path) == len(route[1])
        and all(own == known or known.startswith("{") for own, known in zip(path, route[1], strict=True))
    )
