"""Runs by the command line: what is asked for, what is shown, and what the exit code says."""

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest

from cli.exits import Exit
from tests.unit.cli.conftest import KEY, Convergence
from tests.unit.client.server import ScriptedPlatform

ROOT = Path(__file__).resolve().parents[3]
RUN = {
    "pipeline_logging_id": "r-1",
    "pipeline_id": "daily",
    "tenant_id": "acme",
    "config_version": 3,
    "trigger_type": "api",
    "trigger_by": "convergence",
    "run_date": "2024-01-01",
    "interval_start": "2024-01-01T00:00:00Z",
    "interval_end": "2024-01-02T00:00:00Z",
    "queued_at": None,
    "start_time": "2024-01-18T09:30:00Z",
    "links": {},
    "retry_of": None,
    "retried_by": [],
    "left_out": [],
    "parameters": {"region": "eu"},
}
FAILURE = ("error_class", "next_step")
ACCEPTED = {"pipeline_logging_id": "r-1", "status": "PENDING", "message": "the run is admitted"}


def a_step(status: str, **more: Any) -> dict[str, Any]:
    step = {"step_id": "extract", "ps_type": "bq_etl.query", "status": status, "attempt": 1}
    names = "job_id job_name target_table rows_processed bytes_processed bytes_billed start_time end_time"
    more_names = ("duration_ms", "error_reason", "error_message", *FAILURE, "job_url")
    none = dict.fromkeys((*names.split(), *more_names))
    return {**none, "checks": [], **step, **more}


def a_status(status: str, *steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    levels = [{"level": 1, "status": status, "steps": list(steps)}] if steps else []
    ended = {"end_time": None, "duration_ms": None, "error_message": None, **dict.fromkeys(FAILURE)}
    return {**RUN, **ended, "status": status, "levels": levels, **more}


FAILED = a_status(
    "FAILED",
    a_step("FAILED", duration_ms=900, error_message="Not found: Table acme.ordres"),
    end_time="2024-01-18T09:30:07Z",
    duration_ms=7000,
    error_message="step extract: Not found: Table acme.ordres",
)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)


def test_a_run_is_asked_for_with_typed_values(
    convergence: Convergence, here: ScriptedPlatform, home: Path
) -> None:
    (home / "secret.json").write_text('{"token": "very-secret"}')
    types = {
        "n": "INT64",
        "ok": "BOOL",
        "days": "ARRAY<DATE>",
        "ns": "ARRAY<INT64>",
        "x": "FLOAT64",
        "s": "STRING",
        "rates": "ARRAY<NUMERIC>",
        "at": "TIME",
    }
    here.answer(200, {"parameters": [{"name": name, "type": kind} for name, kind in types.items()]})
    here.answer(202, ACCEPTED)
    values = (
        "n=5",
        "ok=true",
        "days=2024-01-01,2024-01-02",
        "ns=[1,2]",
        "x=1.5",
        "s=5=5",
        "rates=0.10,2",
        "at=09:30",
    )
    outcome = convergence(
        "run",
        "daily",
        "--date",
        "2024-01-01",
        "--queue",
        "--params",
        "secret.json",
        *(word for value in values for word in ("--param", value)),
    )
    assert (outcome.code, outcome.out) == (0, "PENDING: the run is admitted\nr-1\n")
    assert here.asked[1].body == {
        "trigger_by": "convergence",
        "queue": True,
        "parameters": {
            "token": "very-secret",
            "n": 5,
            "ok": True,
            "days": ["2024-01-01", "2024-01-02"],
            "ns": [1, 2],
            "x": 1.5,
            "rates": ["0.10", "2"],
            "at": "09:30",
            "s": "5=5",
            "date": "2024-01-01",
        },
    }


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("n=x", "INT64"),
        ("n=1_000", "INT64"),
        ("n=\u0663", "INT64"),
        ("n=1.5", "INT64"),
        ("n", "name=value"),
        ("=1", "name=value"),
    ],
)
def test_a_value_that_is_none_starts_no_run(
    convergence: Convergence, here: ScriptedPlatform, word: str, told: str
) -> None:
    here.answer(200, {"parameters": [{"name": "n", "type": "INT64"}]})
    outcome = convergence("run", "daily", "--param", word)
    assert (outcome.code, told in outcome.error) == (2, True)
    assert not [asked for asked in here.asked if asked.method == "POST"]


def test_a_value_that_is_given_twice_is_refused_before_anybody_is_asked(
    convergence: Convergence, here: ScriptedPlatform
) -> None:
    outcome = convergence("run", "daily", "--param", "n=1", "--param", "n=2")
    assert (outcome.code, "--param n: is given twice" in outcome.error) == (Exit.USAGE, True)
    assert not here.asked


def test_a_file_that_gives_a_value_twice_starts_no_run(
    convergence: Convergence, here: ScriptedPlatform, home: Path
) -> None:
    (home / "values.json").write_text('{"n": 1, "n": 2}')
    outcome = convergence("run", "daily", "--params", "values.json")
    assert (outcome.code, here.asked) == (2, [])
    assert "cannot be read as JSON" in outcome.error


def test_steps_can_be_chosen(convergence: Convergence, here: ScriptedPlatform) -> None:
    here.answer(202, ACCEPTED)
    convergence("run", "daily", "--step", "a", "--step", "b", "--downstream")
    assert here.asked[0].body == {"trigger_by": "convergence", "steps": ["a", "b"], "downstream": True}


def test_an_interval_and_an_idempotency_key_are_sent(
    convergence: Convergence, here: ScriptedPlatform
) -> None:
    here.answer(202, ACCEPTED)
    convergence("run", "daily", "--interval", "2024-01-01", "2024-02-01", "--idempotency-key", "once")
    assert here.asked[0].body["interval"] == {"start": "2024-01-01", "end": "2024-02-01"}
    assert here.asked[0].headers["Idempotency-Key"] == "once"


@pytest.mark.parametrize(("state", "code"), [("COMPLETED", 0), ("FAILED", 10), ("CANCELLED", 11)])
def test_the_exit_code_says_how_a_followed_run_ended(
    convergence: Convergence, here: ScriptedPlatform, state: str, code: int
) -> None:
    here.answer(202, ACCEPTED)
    here.answer(200, a_status("PENDING", a_step("PENDING")))
    here.answer(200, a_status("RUNNING", a_step("RUNNING")))
    here.answer(200, a_status(state, a_step(state, duration_ms=900), duration_ms=1000))
    outcome = convergence("run", "daily", "--follow")
    assert outcome.code == code
    words = [line.split() for line in outcome.out.splitlines()]
    assert [line[5] for line in words[:3]] == ["PENDING", "RUNNING", state]
    assert outcome.out.splitlines()[-1] == f"{state} in 1.0 s"


def test_a_followed_run_as_json_is_one_document(convergence: Convergence, here: ScriptedPlatform) -> None:
    here.answer(202, ACCEPTED)
    here.answer(200, FAILED)
    outcome = convergence("run", "daily", "--follow", "--json")
    assert outcome.code == 10
    assert json.loads(outcome.out)["status"] == "FAILED"


def test_status_shows_the_latest_run_where_none_is_named(
    convergence: Convergence, here: ScriptedPlatform
) -> None:
    here.answer(200, {"runs": [a_status("FAILED")], "next_cursor": None})
    here.answer(200, FAILED)
    outcome = convergence("status")
    assert outcome.code == 0
    assert here.asked[1].target.endswith("/status/r-1")
    assert "extract: Not found: Table acme.ordres" in outcome.out
    assert "2024-01-01 00:00:00 to 2024-01-02 00:00:00" in outcome.out


def test_without_any_run_there_is_none_to_show(convergence: Convergence, here: ScriptedPlatform) -> None:
    here.answer(200, {"runs": [], "next_cursor": None})
    outcome = convergence("status")
    assert (outcome.code, "Next: Start one" in outcome.error) == (4, True)


def test_logs_tell_the_story_in_the_order_of_time(convergence: Convergence, here: ScriptedPlatform) -> None:
    attempt = {
        "step_id": "extract",
        "level": 1,
        "job_project": None,
        "target_table": "acme.t",
        "statement_hash": None,
        "bytes_processed": 2048,
        "bytes_billed": 10485760,
    }
    first = {
        **attempt,
        "attempt": 1,
        "status": "FAILED",
        "job_id": "j-1",
        "job_name": "main",
        "start_time": "2024-01-18T09:30:01Z",
        "end_time": "2024-01-18T09:30:02Z",
        "rows_processed": None,
        "error_reason": "backendError",
    }
    second = {
        **attempt,
        "attempt": 2,
        "status": "COMPLETED",
        "job_id": "j-2",
        "job_name": "publish",
        "start_time": "2024-01-18T09:30:04Z",
        "end_time": "2024-01-18T09:30:06Z",
        "rows_processed": 1200,
        "error_reason": None,
    }
    check = {"name": "enough", "status": "WARNED", "observed": "3 rows", "expected": "5 at least"}
    checked = check | {"checked_at": "2024-01-18T09:30:05Z"}
    (level,) = FAILED["levels"]
    (step,) = level["steps"]
    here.answer(200, FAILED | {"levels": [level | {"steps": [step | {"checks": [checked]}]}]})
    here.answer(200, {"attempts": [second, first]})
    outcome = convergence("logs", "r-1")
    assert outcome.code == 0
    told = [line[21:] for line in outcome.out.splitlines()]
    assert told == [
        "admitted: daily version 3, asked for by api convergence",
        "level 1  extract  attempt 1  job j-1",
        "level 1  extract  attempt 1  FAILED  read 2.0 KiB  billed 10.0 MiB  backendError",
        "level 1  extract  publish  attempt 2  job j-2",
        "level 1  extract  check enough  WARNED  3 rows, expected 5 at least",
        "level 1  extract  publish  attempt 2  COMPLETED  1,200 rows  read 2.0 KiB  billed 10.0 MiB",
        "level 1  extract  Not found: Table acme.ordres",
        "FAILED after 7.0 s: step extract: Not found: Table acme.ordres",
    ]


def test_history_goes_over_pages_up_to_its_limit(convergence: Convergence, here: ScriptedPlatform) -> None:
    page = [a_status("COMPLETED", duration_ms=1000) for _ in range(2)]
    here.answer(200, {"runs": page, "next_cursor": "c"})
    outcome = convergence("history", "daily", "--status", "completed", "--limit", "3", "--from", "2024-01-01")
    assert outcome.code == 0
    assert len(outcome.out.splitlines()) == 1 + 3
    assert here.asked[0].target.endswith("history?status=COMPLETED&pipeline_id=daily&from=2024-01-01&limit=3")


def test_a_retry_says_from_where_and_by_which_version(
    convergence: Convergence, here: ScriptedPlatform
) -> None:
    here.answer(202, ACCEPTED)
    convergence("retry", "r-0", "--latest", "--from", "extract")
    assert here.asked[0].body == {"trigger_by": "convergence", "version": "latest", "from": "extract"}


# What others wrote


def test_no_text_of_others_steers_the_terminal(convergence: Convergence, here: ScriptedPlatform) -> None:
    hostile = "\x1b]0;owned\x07 \x1b[2J [bold]x[/bold] \u202e txt.exe\r\nConvergence: all is well"
    here.answer(200, a_status("FAILED", a_step("FAILED", error_message=hostile, step_id=hostile)))
    outcome = convergence("status", "r-1")
    assert outcome.code == 0
    assert "[bold]x[/bold]" in outcome.out
    assert not set(outcome.out) & {"\x1b", "\x07", "\r", "\u202e"}
    assert "Convergence: all is well" not in [line.strip() for line in outcome.out.splitlines()]


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (401, "unauthenticated", 3),
        (403, "forbidden", 3),
        (404, "not-found", 4),
        (409, "conflict", 1),
        (422, "invalid-input", 1),
        (429, "quota-exceeded", 5),
        (500, "internal", 6),
        (503, "not-configured", 6),
    ],
)
def test_a_problem_is_told_by_place_rule_and_next_step(
    convergence: Convergence, here: ScriptedPlatform, status: int, kind: str, code: int
) -> None:
    errors = [{"pointer": "/date", "rule": "is on no\x1b[2J calendar", "step": "s", "line": 4, "column": 9}]
    here.refuse(status, kind, errors=errors, request_id="req-1")
    outcome = convergence("run", "daily")
    assert (outcome.code, outcome.out) == (code, "")
    head, place, step = outcome.error.splitlines()
    assert "so it is" in head
    assert "req-1" in head
    assert place == "  line 4, column 9, step s, /date: is on no\\u001b[2J calendar"
    assert step.startswith("Next: ")
    assert KEY not in outcome.error


def test_a_platform_that_is_not_there_is_told_with_a_next_step(
    convergence: Convergence, here: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONVERGENCE_URL", "http://127.0.0.1:9")
    monkeypatch.setattr(random, "uniform", lambda *_: 0.0)  # It is tried again, without pauses.
    outcome = convergence("quota")
    assert outcome.code == 6
    assert [line.split(":")[0] for line in outcome.error.splitlines()] == [
        "GET /api/v1/tenants/quota",
        "Next",
    ]


def test_the_exit_codes_are_those_of_the_documentation() -> None:
    documented = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8").partition("## Exit codes")[2]
    assert [int(code) for code in re.findall(r"^\| (\d+) \|", documented, re.MULTILINE)] == list(Exit)


# Backfills


PLAN = {
    "backfill_id": "b-1",
    "pipeline_id": "daily",
    "dry_run": True,
    "intervals": 7,
    "runs": 5,
    "bytes_estimate": 3 * 1024**3,
    "runs_estimated": 5,
    "cost_estimate": 0.0183,
    "price": {"location": "US", "per_tebibyte": 6.25, "currency": "USD", "source": "", "as_of": "2026-09-18"},
    "days": 1,
    "config_version": 3,
    "ran": [],
    "links": {},
}
BACKFILL = ("backfill", "daily", "--from", "2024-01-01", "--to", "2024-01-08")


def test_a_backfill_is_quoted_first_and_not_begun_where_nobody_can_be_asked(
    convergence: Convergence, here: ScriptedPlatform
) -> None:
    here.answer(200, PLAN)
    outcome = convergence(*BACKFILL)
    assert outcome.code == 2
    assert "3.0 GiB, by dry runs of 5 of them" in outcome.error
    assert [asked.body["dry_run"] for asked in here.asked] == [True]


def test_a_backfill_that_is_agreed_to_begins(convergence: Convergence, here: ScriptedPlatform) -> None:
    here.answer(200, PLAN)
    here.answer(202, PLAN | {"dry_run": False})
    outcome = convergence(*BACKFILL, "--yes", "--rerun", "failed", "--maximum-bytes", "5")
    assert (outcome.code, "convergence backfills show b-1" in outcome.out) == (0, True)
    assert "dry_run" not in here.asked[1].body
    assert (here.asked[1].body["rerun"], here.asked[1].body["maximum_bytes"]) == ("failed", 5)


def test_an_estimate_that_bigquery_cannot_make_is_said_to_be_none(
    convergence: Convergence, here: ScriptedPlatform
) -> None:
    here.answer(200, PLAN | {"bytes_estimate": None})
    assert "unknown: BigQuery cannot tell" in convergence(*BACKFILL).error


QUOTED = {
    "pipeline_id": "daily",
    "config_version": 3,
    "date": "2024-01-31",
    "is_valid": True,
    "price": PLAN["price"],
    "bytes_processed": None,
    "bytes_billed": None,
    "bytes_billed_at_least": 3 * 1024**3,
    "cost": None,
    "cost_at_least": 0.0183,
    "warnings": [],
    "steps": [
        {
            "step_id": "orders",
            "ps_type": "bq_etl.query",
            "level": 1,
            "target_table": "orders",
            "bytes_processed": 3 * 1024**3,
            "bytes_billed": 3 * 1024**3,
            "bytes_billed_at_least": 3 * 1024**3,
            "cost": 0.0183,
            "stand_ins": [],
            "unknown": None,
            "error": None,
            "error_reason": None,
        }
    ],
}


def test_a_quote_tells_each_step_and_runs_nothing(convergence: Convergence, here: ScriptedPlatform) -> None:
    here.answer(200, QUOTED)
    outcome = convergence("quote", "daily", "--date", "2024-01-31")
    assert outcome.code == 0
    first, *_, last = outcome.out.splitlines()
    assert first == "daily, version 3, for 2024-01-31"
    assert last == "In all: reads unknown, costs unknown, at least 0.0183 USD"
    assert here.asked[0].body == {"date": "2024-01-31", "dry_run": True}


def test_a_quote_of_what_cannot_run_ends_with_an_exit_code(
    convergence: Convergence, here: ScriptedPlatform
) -> None:
    here.answer(200, QUOTED | {"is_valid": False})
    assert convergence("quote", "daily").code == 1


def test_secret_values_come_by_the_standard_input_too(
    convergence: Convergence, here: ScriptedPlatform, home: Path
) -> None:
    here.answer(202, ACCEPTED)
    assert convergence("run", "daily", "--params", "-", given='{"token": "very-secret"}').code == 0
    assert here.asked[0].body["parameters"] == {"token": "very-secret"}
