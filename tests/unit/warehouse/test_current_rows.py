"""Which row of a key counts is said by one rule, wherever the product's SQL asks for it (ADR 1)."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from sqlglot import exp

from tests.unit.warehouse.test_pruning import STATEMENTS, VIEWS, read

FILES = [*STATEMENTS, *VIEWS]
RUN_ENDS = "status IN ('COMPLETED', 'FAILED', 'CANCELLED')"
STEP_ENDS = "status IN ('COMPLETED', 'FAILED', 'CANCELLED', 'SKIPPED')"
LATEST, FIRST = "recorded_at DESC", "recorded_at"


def first_end(ends: str, otherwise: str = LATEST) -> str:
    """Write out that the first terminal row counts, and where there is none another one."""
    return f"{ends} DESC, IF({ends}, recorded_at, NULL), {otherwise}"


OF_RUNS = {first_end(RUN_ENDS)}
OF_STEPS = {
    # A job that was not its step's last has an end and no terminal row.
    first_end(STEP_ENDS, f"NOT end_time IS NULL DESC, {LATEST}"),
    # A step is what its last job's latest attempt is.
    f"COALESCE(job_index, 0) DESC, attempt DESC, {first_end(STEP_ENDS)}",
}
CANONICAL = {
    "tenant_pipeline_runs": OF_RUNS,
    "tenant_pipeline_execution_queue": OF_RUNS,
    "tenant_scheduled_pipeline_runs": OF_RUNS,
    "tenant_step_logs": OF_STEPS,
    # Those rows once more, of each attempt at a job the one that counts.
    "job": OF_STEPS,
    "jobs": OF_STEPS,
    "tenant_dq_results": {FIRST},
    "platform_audit_log": {LATEST},
    "tenant_api_keys": {LATEST},
    "tenant_cloud_credentials": {LATEST},
    "tenant_pipeline_configs": {LATEST, "version DESC"},
    "tenant_profiles": {LATEST},
    "tenant_subscriptions": {LATEST},
}
"""By table: where rows have ends the first of them, of results the first one, else the latest."""
OTHERWISE = {
    "files/read": "IF(state = 'CLAIMED', 1, 0), recorded_at",
    "schedules/record": "outcome.has_begun DESC, outcome.end_time",
    "schedules/timetable": LATEST,
    "tables/last_writes": "end_time DESC, pipeline_logging_id",
    "usage/learned": "began_at DESC, pipeline_logging_id",
    "usage/of_tenants": "job_number DESC, attempt DESC",
}
"""Which of several ends is told: a file's by its job; a firing's by its run, or else by the queue; of those
that wrote a table the last; of a step its last job's last attempt, and of its runs the last ones. Each end is
one row, chosen before by a canonical form. Whether a schedule is paused has no end."""


NUMBERED = {"queue/waiting": 2, "runs/history": 1, "schedules/refusals": 1}
"""Where rows are put in order: those that wait by their turn, refused firings by their times."""


def choices(tree: exp.Expr) -> Iterator[tuple[str, str]]:
    """Write out of which table the one row of a key is chosen, and by what."""
    for window in tree.find_all(exp.Window):
        order = window.args.get("order")
        qualify = window.find_ancestor(exp.Qualify, exp.Select)
        if isinstance(qualify, exp.Qualify) and order:
            source = cast("exp.Select", qualify.parent).args["from_"].this
            parts = (one.sql("bigquery").removesuffix(" NULLS LAST") for one in order.expressions)
            yield source.name, ", ".join(parts)


def name(file: Path) -> str:
    return f"{file.parent.name}/{file.stem}"


def strange(file: Path) -> list[tuple[str, str]]:
    """List the choices of a file that are by no rule."""
    found = [choice for tree in read(file) for choice in choices(tree)]
    known = {OTHERWISE.get(name(file))}
    return [(table, order) for table, order in found if order not in CANONICAL.get(table, set()) | known]


@pytest.mark.parametrize("file", FILES, ids=name)
def test_each_choice_of_a_row_is_one_of_the_canonical_forms_of_its_table(file: Path) -> None:
    assert strange(file) == []


@pytest.mark.parametrize("file", FILES, ids=name)
def test_no_row_of_a_key_is_chosen_in_another_way(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert not re.search(r"\b(MAX_BY|MIN_BY|FIRST_VALUE|LAST_VALUE)\b|\bHAVING (MAX|MIN)\b", text)
    numbered = [window for tree in read(file) for window in tree.find_all(exp.RowNumber)]
    places = [window.find_ancestor(exp.Qualify, exp.Select) for window in numbered]
    counted = [place for place in places if not isinstance(place, exp.Qualify)]
    assert len(counted) == NUMBERED.get(name(file), 0)


def test_every_choice_that_knows_ends_takes_the_first() -> None:
    chosen = [order for file in FILES for tree in read(file) for _, order in choices(tree)]
    assert sum("COMPLETED" in order for order in chosen) >= 10


@pytest.mark.parametrize(
    ("table", "order"),
    [
        ("tenant_pipeline_runs", f"{RUN_ENDS} DESC, recorded_at DESC"),
        ("tenant_pipeline_runs", LATEST),
        ("tenant_pipeline_runs", first_end(STEP_ENDS)),
        ("tenant_step_logs", first_end(RUN_ENDS)),
        ("tenant_step_logs", first_end(STEP_ENDS)),
        ("tenant_dq_results", LATEST),
        ("tenant_profiles", FIRST),
        ("tenant_of_tomorrow", LATEST),
    ],
)
def test_another_rule_is_found(table: str, order: str, tmp_path: Path) -> None:
    file = tmp_path / "some.sql"
    file.write_text(
        f"SELECT 1 FROM {table} WHERE TRUE QUALIFY ROW_NUMBER() OVER (PARTITION BY a ORDER BY {order}) = 1"
    )
    assert [table for table, _ in strange(file)] == [table]
