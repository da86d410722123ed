"""The schema of a pipeline file, by a validator that knows nothing of the platform."""

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from common.errors import InvalidInput
from common.pipelines.file_schema import file_schema
from tests.unit.pipelines.examples import compiled

ROOT = Path(__file__).parents[3]
SCHEMA = file_schema(ROOT / "ps_templates")
VALIDATOR = Draft202012Validator(SCHEMA)
GOOD: dict[str, Any] = {
    "pipeline": {"name": "Good", "id": "daily", "timeout_minutes": 60, "priority": 1, "tags": ["a"]},
    "parameters": {
        "region": {"type": "STRING", "default": "eu", "allowed": ["eu", "us"]},
        "days": {"type": "ARRAY<DATE>", "default": ["2026-01-31"]},
        "least": {"type": "FLOAT64", "default": 0.5},
        "rate": {"type": "NUMERIC", "default": "0.19", "allowed": [0.07, "0.19"]},
        "rates": {"type": "ARRAY<NUMERIC>", "default": [1, "0.5"]},
        "cut": {"type": "TIME", "default": "09:30:00"},
        "since": {"type": "DATETIME", "default": "2026-01-31T09:30:00"},
        "salt": {"type": "BYTES", "default": "AP8="},
        "pepper": {"type": "STRING", "secret": True},
        "date": {"type": "DATE", "default": "2026-01-31"},
    },
    "schedule": {"cron": "30 5 * * mon-FRI", "timezone": "Europe/Berlin", "start": "2026-01-01"},
    "dependencies": {"level_1": [{"step": "a"}], "level_2": [{"step": "b"}]},
    "steps": [
        {
            "id": "a",
            "ps_type": "bq_etl.query",
            "config": {
                "source_query": "SELECT 1 AS `größe`, ${date} AS day",
                "target_table": "`${project_id}.${tenant_id}.my table`",
                "partitioning": {"field": "day"},
                "clustering": ["größe"],
                "labels": {"team": "sales"},
            },
        },
        {
            "id": "b",
            "ps_type": "bq_etl.query",
            "depends_on": ["a"],
            "retry": {"attempts": 2},
            "config": {
                "source_query": "SELECT 1 AS n",
                "target_table": "b",
                "write_disposition": "WRITE_APPEND",
            },
        },
    ],
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """Return the good file with a value at a place; None takes away what is there."""
    document = deepcopy(GOOD)
    *parents, last = [int(part) if part.isdigit() else part for part in path.split("/")]
    place: Any = document
    for part in parents:
        place = place[part]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return document


A, CONFIG, PARAMETERS, SCHEDULE = "steps/0", "steps/0/config", "parameters", "schedule"
WRONG: list[tuple[str, Any]] = [
    (f"{PARAMETERS}/rate/default", "1_000"),
    (f"{PARAMETERS}/rate/default", True),
    (f"{PARAMETERS}/rates/default", ["x"]),
    (f"{PARAMETERS}/cut/default", 34200),
    (f"{PARAMETERS}/cut/default", "9:30"),
    (f"{PARAMETERS}/since/default", "2026-01-31T09:30:00Z"),
    (f"{PARAMETERS}/salt/default", "AP8"),
    ("pipeline", None),
    ("pipeline/name", None),
    ("pipeline/name", ""),
    ("pipeline/id", "Bad Id"),
    ("pipeline/timeout_minutes", "60"),
    ("pipeline/timeout_minutes", 1441),
    ("pipeline/priority", 0),
    ("pipeline/nmae", "x"),
    ("steps", None),
    ("steps", []),
    ("surplus", 1),
    (f"{A}/id", "Bad Id"),
    (f"{A}/id", "1a"),
    (f"{A}/id", None),
    (f"{A}/ps_type", "bq_etl.qury"),
    (f"{A}/ps_type", None),
    (f"{A}/config", None),
    (f"{A}/retry", {"attempts": 11}),
    (f"{A}/depends_on", "b"),
    (f"{A}/timeout_minutes", 361),
    (f"{CONFIG}/source_qeury", "SELECT 1"),
    (f"{CONFIG}/source_query", None),
    (f"{CONFIG}/source_query", 1),
    (f"{CONFIG}/target_table", None),
    (f"{CONFIG}/target_table", "t$2024-01-01"),
    (f"{CONFIG}/target_table", "t$__NULL__"),
    (f"{CONFIG}/target_table", "t*"),
    (f"{CONFIG}/target_table", "a.b.c.d"),
    (f"{CONFIG}/target_table", "${date}.t"),
    (f"{CONFIG}/write_disposition", "APPEND"),
    (f"{CONFIG}/partitioning", {"type": "DAY"}),
    (f"{CONFIG}/partitioning", {"field": "day", "type": "WEEK"}),
    (f"{CONFIG}/partitioning", {"field": "1day"}),
    (f"{CONFIG}/clustering", ["a", "b", "c", "d", "e"]),
    (f"{CONFIG}/clustering", ["a-b"]),
    (f"{CONFIG}/maximum_bytes_billed", 1),
    (f"{CONFIG}/labels", {"Team": "sales"}),
    (f"{CONFIG}/labels", {"tenant": "x"}),
    (f"{CONFIG}/labels", {"team": "Sales"}),
    (f"{PARAMETERS}/region/type", "TEXT"),
    (f"{PARAMETERS}/region/default", 1),
    (f"{PARAMETERS}/region/allowed", [1]),
    (f"{PARAMETERS}/days/default", "2026-01-31"),
    (f"{PARAMETERS}/days/default", ["tomorrow"]),
    (f"{PARAMETERS}/least/default", "much"),
    (f"{PARAMETERS}/pepper/default", "x"),
    (f"{PARAMETERS}/pepper/type", "DATE"),
    (f"{PARAMETERS}/region/required", True),
    (f"{PARAMETERS}/date/type", "STRING"),
    (f"{PARAMETERS}/tenant_id", {"type": "STRING"}),
    (f"{PARAMETERS}/Region", {"type": "STRING"}),
    (f"{PARAMETERS}/must", {"type": "STRING", "required": True}),
    (f"{SCHEDULE}/cron", None),
    (f"{SCHEDULE}/cron", "61 5 * * *"),
    (f"{SCHEDULE}/cron", "0 5 ? * MON"),
    (f"{SCHEDULE}/cron", "0 5 * *"),
    (f"{SCHEDULE}/cron", "0 5 * * MOO"),
    (f"{SCHEDULE}/cron", "@reboot"),
    (f"{SCHEDULE}/timezone", "Mars/Olympus"),
    (f"{SCHEDULE}/catch_up", "some"),
    (f"{SCHEDULE}/start", "tomorrow"),
    ("dependencies/level_0", [{"step": "a"}]),
    ("dependencies/level_1", [{"stpe": "a"}]),
    ("dependencies/level_1", ["a"]),
]


def test_a_good_file_is_good_to_both() -> None:
    assert [error.message for error in VALIDATOR.iter_errors(GOOD)] == []
    assert compiled(json.dumps(GOOD)).levels


@pytest.mark.parametrize(("path", "value"), WRONG, ids=lambda part: str(part)[:40])
def test_what_an_upload_refuses_a_plain_validator_refuses_too(path: str, value: Any) -> None:
    document = changed(path, value)
    assert not VALIDATOR.is_valid(document)
    with pytest.raises(InvalidInput):
        compiled(json.dumps(document))


@pytest.mark.parametrize(
    "cron",
    [
        "* * * * *",
        "*/15 0-6,22 1,15,L 1-12/2 1#2",
        "0 0 LW * 5L",
        "@daily",
        "@Hourly",
        "5/10 * * jan,FEB sun",
    ],
)
def test_a_schedule_that_an_upload_takes_is_taken(cron: str) -> None:
    document = changed(f"{SCHEDULE}/cron", cron)
    assert VALIDATOR.is_valid(document)
    assert compiled(json.dumps(document)).levels


def files() -> list[Path]:
    return [*(ROOT / "ps_templates").glob("*/*/example.yml"), *(ROOT / "configs").rglob("*.yml")]


@pytest.mark.parametrize("file", files(), ids=lambda file: str(file.relative_to(ROOT)))
def test_the_files_of_the_project_are_good(file: Path) -> None:
    document = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    assert [error.message for error in VALIDATOR.iter_errors(document)] == []


def test_the_schemas_own_examples_are_good_and_it_names_nothing_outside_itself() -> None:
    for example in SCHEMA["examples"]:
        assert [error.message for error in VALIDATOR.iter_errors(example)] == []
    references: list[str] = []
    _each(SCHEMA, lambda part: references.append(part["$ref"]) if "$ref" in part else None)
    assert references
    assert all(reference.startswith("#/$defs/") for reference in references)
    formats: list[str] = []
    _each(
        _without_examples(SCHEMA),
        lambda part: formats.append(part["format"]) if isinstance(part.get("format"), str) else None,
    )
    assert formats == []


def _without_examples(part: Any) -> Any:
    if isinstance(part, list):
        return [_without_examples(item) for item in part]
    if not isinstance(part, dict):
        return part
    return {name: _without_examples(item) for name, item in part.items() if name != "examples"}


def _each(part: Any, look: Callable[[dict[str, Any]], object]) -> None:
    if isinstance(part, dict):
        look(part)
        for value in part.values():
            _each(value, look)
    elif isinstance(part, list):
        for item in part:
            _each(item, look)
