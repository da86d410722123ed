"""Pages: what people write is text in them, and nothing of it is hidden; numbers and moments are readable."""

import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from common.console import pictures
from common.console.calendars import days_between, days_of, months_of
from common.console.pipeline_pages import FileLine
from common.console.quality_pages import MAX_DRAWN, STATES, histories_of
from common.console.rendering import (
    FOLDER,
    Templates,
    cost,
    in_bytes,
    in_time,
    is_googles,
    moment,
    number,
    percent,
)
from common.console.run_pages import MAX_SQL_CHARACTERS, with_errors, with_lines_that_fit
from common.console.sessions import Role, Session
from common.console.static_files import FILES
from common.console.table_pages import MAX_ROW_CHARACTERS, rows_that_fit
from common.console.visits import Page
from common.words import visible

HOSTILE = '"><script>alert(1)</script>\u202eevil\u200b' + "x" * 10_000


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u202eb", "a\\u202eb"),
        ("a\x00b", "a\\u0000b"),
        ("Zürich\n\t日本", "Zürich\n\t日本"),
        ("a\u200bb", "a\\u200bb"),
    ],
)
def test_what_a_text_hides_is_written_out(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize(
    ("count", "shown"),
    [(None, "—"), (0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (10 * 2**40, "10.0 TiB")],
)
def test_bytes_are_written_in_the_unit_that_fits(count: int | None, shown: str) -> None:
    assert in_bytes(count) == shown


@pytest.mark.parametrize(
    ("milliseconds", "shown"),
    [(None, "—"), (850, "850 ms"), (12_300, "12.3 s"), (245_000, "4 min 5 s"), (7_380_000, "2 h 3 min")],
)
def test_durations_are_written_in_time(milliseconds: float | None, shown: str) -> None:
    assert in_time(milliseconds) == shown


def test_moments_shares_and_counts_are_written_for_people() -> None:
    assert moment("2024-01-01T12:30:05.123+01:00") == "2024-01-01 11:30:05 UTC"
    assert (moment(None), percent(None), number(None)) == ("—", "—", "—")
    assert (percent(0.995), number(1_234_567)) == ("100%", "1,234,567")


def a_run(status: str = "FAILED", **more: Any) -> dict[str, Any]:
    step = {
        "step_id": "orders", "ps_type": "bq_etl.query", "status": status, "attempt": 1, "job_id": "j",
        "target_table": HOSTILE, "rows_processed": 5, "bytes_processed": 10, "bytes_billed": 10, "cost": 0.5,
        "start_time": "2024-01-01T00:00:01Z", "end_time": None, "duration_ms": None,
        "error_reason": "invalidQuery", "error_message": HOSTILE,
        "error_class": "your_sql", "next_step": HOSTILE, "job_url": HOSTILE,
        "checks": [{
            "name": HOSTILE, "type": "not_null", "status": "FAILED", "severity": "error", "table": HOSTILE,
            "row_count": 2, "failed_rows": 1, "observed": HOSTILE, "expected": HOSTILE,
        }],
    }  # fmt: skip
    return {
        "pipeline_logging_id": "0" * 36, "pipeline_id": "daily", "tenant_id": "acme", "config_version": 1,
        "status": status, "trigger_type": "api", "trigger_by": HOSTILE, "run_date": None,
        "interval_start": None, "interval_end": None, "queued_at": None,
        "start_time": "2024-01-01T00:00:00Z", "end_time": None, "duration_ms": None,
        "error_message": HOSTILE, "links": {}, "retry_of": None,
        "price": {"per_tebibyte": 6.25, "currency": "USD"},
        "figures": {"rows_processed": 5, "bytes_processed": 10, "bytes_billed": 10, "cost": None},
        "parameters": {"name": HOSTILE}, "levels": [{"level": 1, "status": status, "steps": [step]}],
    } | more  # fmt: skip


def rendered(template: str, **values: Any) -> str:
    return Templates().render(Page(template=template, values=values), Session.new(Role.TENANT))


def test_hostile_words_are_text_wherever_a_run_has_them() -> None:
    page = rendered(
        "run.html",
        run=a_run(),
        edges=[],
        now=datetime.now(UTC),
        can_retry=True,
        receipt={"attempts": []},
        statements=[
            {
                "step_id": "orders",
                "job_name": "main",
                "is_as_run": True,
                "lines": [HOSTILE],
                "error": "",
                "at": 0,
                "is_wanted": False,
                "has_room": True,
            }
        ],
    )
    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;alert") >= 3
    assert "\u202e" not in page
    assert "\u200b" not in page


def test_hostile_words_are_text_in_a_pipelines_file_and_its_changes() -> None:
    values: dict[str, Any] = {"config_id": HOSTILE, "text": HOSTILE, "is_new": False}
    excerpt = [FileLine(number=3, text=HOSTILE, rules=[HOSTILE])]
    page = rendered("edit.html", **values, problem=None, excerpt=excerpt, quote=None)
    assert page.count("&lt;script&gt;alert") >= 3
    assert "<script>alert" not in page
    assert "&#34;&gt;&lt;script&gt;" in page


def a_result(status: str = "FAILED", **more: Any) -> dict[str, Any]:
    return {
        "name": HOSTILE, "type": "not_null", "status": status, "severity": "error", "table": HOSTILE,
        "row_count": 2, "failed_rows": 1, "failed_percent": 50.0, "observed": HOSTILE, "expected": HOSTILE,
        "duration_ms": 5, "job_id": "j", "checked_at": "2024-01-01T00:00:00Z", "value": 1.0, "links": {},
        "pipeline_logging_id": HOSTILE, "pipeline_id": HOSTILE, "step_id": HOSTILE,
    } | more  # fmt: skip


def test_hostile_words_are_text_wherever_checks_have_them() -> None:
    results: Any = [a_result(), a_result("PASSED")]
    values = {"checks": histories_of(results), "results": results, "asked": {}, "states": STATES}
    page = rendered("quality.html", **values, older=None)
    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;alert") >= 10
    assert "\u202e" not in page


def test_checks_are_put_together_the_worst_first_and_their_results_in_the_order_of_time() -> None:
    told: Any = [
        a_result("PASSED", name="fine", checked_at="2024-01-03T00:00:00Z"),
        a_result("FAILED", name="mended", checked_at="2024-01-02T00:00:00Z"),
        a_result("PASSED", name="mended", checked_at="2024-01-03T00:00:00Z"),
        a_result("FAILED", name="broken", table="a", checked_at="2024-01-03T00:00:00Z"),
        a_result("PASSED", name="broken", table="z", checked_at="2024-01-03T00:00:00Z"),
        a_result("WARNED", name="doubtful", checked_at="2024-01-03T00:00:00Z"),
    ]
    found = histories_of(sorted(told, key=lambda one: str(one["checked_at"]), reverse=True))
    assert [one.last["name"] for one in found if one.is_broken] == ["broken", "doubtful"]
    assert [one.last["name"] for one in found if not one.is_broken] == ["fine", "mended", "broken"]
    mended = next(one for one in found if one.last["name"] == "mended")
    assert [one["status"] for one in mended.results] == ["FAILED", "PASSED"]
    many: Any = [a_result("PASSED", value=float(number)) for number in range(MAX_DRAWN + 10)]
    (history,) = histories_of(many)
    assert [one["value"] for one in history.results] == [*map(float, reversed(range(MAX_DRAWN)))]


def test_a_link_leads_to_googles_console_and_nowhere_else() -> None:
    assert is_googles("https://console.cloud.google.com/bigquery?j=1")
    for address in (None, "", "javascript:alert(1)", "https://console.cloud.google.com.evil.example/"):
        assert not is_googles(address)


@pytest.mark.parametrize(
    ("amount", "shown"),
    [(None, "—"), (0, "0.00 USD"), (0.00006, "0.0001 USD"), (1234.5, "1,234.50 USD")],
)
def test_costs_are_written_in_their_currency(amount: float | None, shown: str) -> None:
    assert cost(amount, "USD") == shown


def test_an_arrow_leads_from_each_step_to_those_that_wait_for_it() -> None:
    levels: Any = [
        {
            "level": 1,
            "steps": [{"step_id": "a", "status": "COMPLETED"}, {"step_id": "b", "status": "FAILED"}],
        },
        {"level": 2, "steps": [{"step_id": "c", "status": "SKIPPED"}]},
    ]
    drawn = pictures.levels(levels, [("b", "c"), ("b", "left_out")])
    assert re.findall(r'd="(M[^"]+)"', drawn) == [
        "M178.0 65.0 C201.0 65.0 193.0 21.0 216.0 21.0 m-5 -4 l5 4 l-5 4"
    ]
    assert pictures.levels(levels).count("<path") == 1


def test_the_rows_of_runs_are_drawn_where_they_are_known() -> None:
    told: Any = [a_run("COMPLETED", figures={"rows_processed": count}) for count in (1200, None, 3)]
    drawn = pictures.rows(told)
    assert drawn.count("<title>") == 2
    assert "the most were 1,200" in drawn


def test_pictures_say_in_time_what_they_show() -> None:
    runs: Any = [a_run("COMPLETED", duration_ms=1000), a_run("FAILED", duration_ms=500)]
    strip = pictures.strip(runs, 14, date(2024, 1, 2))
    assert "2024-01-01: 1 COMPLETED, 1 FAILED" in strip
    assert strip.count("<g>") == 14
    running: Any = a_run("RUNNING")
    assert "orders: RUNNING" in pictures.levels(running["levels"], [])
    assert "orders: RUNNING" in pictures.gantt(running, datetime(2024, 1, 1, 0, 1, tzinfo=UTC))
    assert "1.0 s" in pictures.durations(runs)
    for drawn in (strip, pictures.bar(2.0, "Today: 2 of 1 runs"), pictures.durations([])):
        assert 'role="img"' in drawn
        assert "style=" not in drawn


@pytest.mark.parametrize("template", sorted(FOLDER.glob("*.html")), ids=lambda file: file.name)
def test_templates_hold_nothing_that_the_policy_forbids(template: Path) -> None:
    text = template.read_text(encoding="utf-8")
    assert not re.search(r"\bstyle=|\bon[a-z]+=|javascript:|https?://", text)
    assert "|safe" not in text
    forms = re.findall(r'<form[^>]*method="post".*?</form>', text, re.DOTALL)
    assert all("{{ token() }}" in form for form in forms)
    assert text.count('method="post"') == len(forms)


def test_a_page_weighs_little() -> None:
    assert sum(map(len, FILES.values())) < 30_000


def test_days_of_a_backfill_are_laid_out_as_months_in_the_pipelines_zone() -> None:
    runs = [{"interval_start": f"2024-01-{day:02}T23:00:00Z", "status": "COMPLETED"} for day in (1, 2, 30)]
    days = days_of(runs, "Europe/Zurich")
    assert sorted(days) == [date(2024, 1, 2), date(2024, 1, 3), date(2024, 1, 31)]
    [month] = months_of(days)
    assert month.title == "January 2024"
    assert month.weeks[0][:3] == [(1, None), (2, runs[0]), (3, runs[1])]
    assert months_of(days_between("2024-01-31", "2024-03-01"))[1].title == "February 2024"


@pytest.mark.parametrize(
    "starts", [("2024-01-01T01:00:00Z", "2024-01-01T02:00:00Z"), ("2024-01-01T00:00:00Z",)]
)
def test_what_runs_for_no_days_is_no_calendar(starts: tuple[str, ...]) -> None:
    assert days_of([{"interval_start": start} for start in starts], "UTC") == {}
    assert days_between("2024-01-01T00", "x") == {}


def test_an_error_is_shown_at_its_line_of_the_sql() -> None:
    run = a_run(error_message="Unrecognized name: m at [2:8]")
    run["levels"][0]["steps"][0] |= {"job_name": "main", "error_message": "Unrecognized name: m at [2:8]"}
    told = {"sql": "SELECT n,\n       m\nFROM t", "is_as_run": True}
    statements: Any = [{"step_id": "orders", "job_name": name, **told} for name in ("main", "check")]
    found = with_errors(statements, cast("Any", run))
    assert [one["at"] for one in found] == [2, 0]
    page = rendered(
        "run.html",
        run=run,
        edges=[],
        now=datetime.now(UTC),
        can_retry=False,
        receipt={"attempts": []},
        statements=with_lines_that_fit(found, ""),
    )
    assert re.findall(r'<li class="at">([^<]*)</li>', page) == ["       m"]
    assert page.count("<details open>") == 1


def test_a_page_holds_as_many_rows_as_fit_and_one_at_least() -> None:
    short, long = {"word": "x"}, {"word": "x" * MAX_ROW_CHARACTERS}
    assert list(rows_that_fit([short] * 50)) == [short] * 50
    assert list(rows_that_fit([short, short, long, short])) == [short, short]
    assert list(rows_that_fit([long, short])) == [long]
    assert list(rows_that_fit([])) == []


def test_sql_that_a_page_has_no_room_for_is_a_link_away() -> None:
    sql = "x" * (MAX_SQL_CHARACTERS // 2)
    names = ("first", "second", "third", "failed")
    found = [{"step_id": name, "error": "", "sql": sql} for name in names]
    found[-1]["error"] = "no such table"
    shown = with_lines_that_fit(found, "")
    assert [one["has_room"] for one in shown] == [True, True, False, True]
    assert [one["is_wanted"] for one in shown] == [False, False, False, True]
    assert [one["has_room"] for one in with_lines_that_fit(found, "third")] == [True] * 4


def test_a_run_of_fifty_steps_is_a_light_page() -> None:
    step: dict[str, Any] = a_run()["levels"][0]["steps"][0] | {"job_name": "main", "checks": []}
    step |= {"error_message": None, "target_table": "acme.orders", "next_step": None, "job_url": None}
    steps = [step | {"step_id": f"a_step_with_a_name_{number}"} for number in range(50)]
    levels = [{"level": level, "status": "COMPLETED", "steps": steps[level::10]} for level in range(10)]
    statements: Any = [
        {"step_id": step["step_id"], "job_name": "main", "sql": "SELECT 1 AS n\n" * 40, "is_as_run": True}
        for step in steps
    ]
    run = a_run("COMPLETED", levels=levels, error_message=None, parameters={})
    attempt = {"step_id": "a_step_with_a_name_1", "attempt": 1, "status": "COMPLETED", "job_project": None}
    attempt |= {"job_id": f"cvg-step-{'0' * 60}", "rows_processed": 5, "bytes_billed": 10}
    page = rendered(
        "run.html",
        run=run,
        edges=[(steps[number]["step_id"], steps[number + 1]["step_id"]) for number in range(49)],
        now=datetime(2024, 1, 1, 0, 10, tzinfo=UTC),
        can_retry=False,
        receipt={"attempts": [attempt] * 50},
        statements=with_lines_that_fit(with_errors(statements, cast("Any", run)), ""),
    )
    assert page.count('<a href="?sql=') == 50 - MAX_SQL_CHARACTERS // len("SELECT 1 AS n\n" * 40)
    assert len(page) + sum(map(len, FILES.values())) < 100_000
