"""What an upload is told though it breaks no rule."""

from datetime import UTC, datetime
from typing import Any

import pytest

from common.pipelines.tables import TableName
from common.pipelines.warnings import SqlOfStep, plan_warnings, schedule_warnings, sql_warnings

NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)


def table(name: str) -> TableName:
    return TableName(project="p", dataset="acme", table=name)


def step(step_id: str, sql: str, reads: str = "", **more: Any) -> SqlOfStep:
    read = frozenset(table(name) for name in reads.split())
    return SqlOfStep(id=step_id, pointer=f"/{step_id}", sql=sql, reads=read, writes=table(step_id), **more)


def told(*steps: SqlOfStep) -> list[str]:
    return [str(warning) for warning in sql_warnings(steps)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM t",
        "select distinct * from t",
        "WITH t AS (SELECT 1 AS a) SELECT /* all */ * FROM t",
        "SELECT a FROM t UNION ALL SELECT * FROM u",
    ],
)
def test_columns_that_come_unnamed_are_told(sql: str) -> None:
    assert told(step("a", sql)) == [
        "/a: a takes all columns as they come (SELECT *): a new column of its source changes what it writes"
    ]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a FROM (SELECT * FROM t)",
        "SELECT COUNT(*) AS n FROM t",
        "SELECT * EXCEPT (a) FROM t",
        "SELECT 2 * 3 AS six",
        "SELECT '*' AS star -- SELECT *",
    ],
)
def test_columns_that_are_named_are_no_matter(sql: str) -> None:
    assert told(step("a", sql)) == []


@pytest.mark.parametrize(
    ("text", "is_told"),
    [
        ("'{{ ds }}'", True),
        ('"{{ data_interval_start | ds_nodash }}"', True),
        ("'''{% if x %}\n1\n{% endif %}'''", True),
        ('\'{"a": {"b": 1}}\'', False),
        ("'100 %' || '{' /* {{ ds }} */", False),
    ],
)
def test_a_template_in_a_string_is_told_to_stay_one(text: str, is_told: bool) -> None:
    rules = told(step("a", f"SELECT {text} AS a"))
    assert len(rules) == is_told
    assert all(rule.startswith("/a: a has {{ … }} in a string, which stays as it is") for rule in rules)


def test_a_partitioned_table_that_is_read_whole_is_told() -> None:
    days = step("days", "SELECT 1 AS n, CURRENT_DATE() AS day", partitioned_by="day")
    whole = step("whole", "SELECT day, n FROM days", reads="days")
    part = step("part", "SELECT n FROM days AS d WHERE d.`Day` = @date", reads="days")
    assert told(days, whole, part) == [
        "/whole: whole reads p.acme.days whole: it is partitioned by day, on which there is no filter"
    ]


@pytest.mark.parametrize(
    ("schedule", "warning"),
    [
        (None, None),
        ({"cron": "0 5 * * *"}, None),
        ({"cron": "0 5 1 * *"}, None),
        ({"cron": "0 0 29 2 *"}, "/schedule: fires next at 2028-02-29T00:00:00Z"),
        ({"cron": "0 0 29 2 *", "enabled": False}, None),
        ({"cron": "*/59 */23 * * *"}, None),
        (
            {"cron": "*/90 * * * *"},
            "/schedule/cron: has */90 for the minute, a step that is longer than the field: only its first "
            "value comes",
        ),
        (
            {"cron": "0 */24 * * *"},
            "/schedule/cron: has */24 for the hour, a step that is longer than the field: only its first "
            "value comes",
        ),
        ({"cron": "0 5 * * *", "end": "2026-01-01"}, "/schedule: never fires again: it has ended"),
        (
            {"cron": "0 5 1 1 *", "start": "2026-04-01", "end": "2026-04-30"},
            "/schedule: never fires between its start and its end",
        ),
    ],
)
def test_a_schedule_that_is_silent_for_a_month_is_told(
    schedule: dict[str, Any] | None, warning: str | None
) -> None:
    found = [str(told) for told in schedule_warnings(schedule, "acme/daily", NOW)]
    assert found == ([warning] if warning else [])


def kept(runs: int) -> str:
    return f", {runs} of them kept for requests by hand (`reserve`)"


@pytest.mark.parametrize(
    ("schedule", "limit", "told"),
    [
        ({"cron": "* * * * *"}, 100, "makes 1,440 firings a day; your plan has 100" + kept(20)),
        ({"cron": "*/15 * * * *"}, 95, "makes 96 firings a day; your plan has 95" + kept(19)),
        ({"cron": "*/15 * * * *"}, 96, ""),
        ({"cron": "*/15 * * * *", "reserve": 0}, 95, "makes 96 firings a day; your plan has 95"),
        ({"cron": "*/15 * * * *", "reserve": 4}, 100, ""),
        ({"cron": "*/15 * * * *", "reserve": 5}, 100, "makes 96 firings a day; your plan has 100" + kept(5)),
        (
            {"cron": "*/15 * * * 1", "timezone": "Europe/Berlin"},
            50,
            "makes 96 firings a day; your plan has 50" + kept(10),
        ),
        ({"cron": "* * * * *", "enabled": False}, 100, ""),
        ({"cron": "* * * * *", "end": "2020-01-01"}, 100, ""),
        ({"cron": "* * * * *"}, None, ""),
        (None, 1, ""),
    ],
)
def test_a_schedule_that_fires_more_often_than_the_plan_has_runs_is_told(
    schedule: dict[str, Any] | None, limit: int | None, told: str
) -> None:
    found = [one.rule for one in plan_warnings(schedule, "acme/daily", NOW, lambda: limit)]
    assert found == ([told] if told else [])


@pytest.mark.parametrize(
    ("overlap", "word"), [("skip", "skipped"), ("cancel_older", "cancelled"), ("wait", "")]
)
def test_a_schedule_that_drops_what_it_makes_up_for_is_told(overlap: str, word: str) -> None:
    schedule = {"cron": "0 5 * * *", "catch_up": "all", "overlap": overlap}
    found = list(schedule_warnings(schedule, "acme/daily", NOW))
    assert [one.pointer for one in found] == (["/schedule/overlap"] if word else [])
    assert all(f"all but 1 of them are {word}" in one.rule for one in found)
    assert list(schedule_warnings(schedule | {"catch_up": "latest"}, "acme/daily", NOW)) == []
