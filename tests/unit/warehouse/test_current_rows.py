"""Which row of a key counts is said by one rule, wherever the product's SQL asks for it (ADR 1)."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlglot import exp

from tests.unit.warehouse.test_pruning import STATEMENTS, VIEWS, read

FILES = [*STATEMENTS, *VIEWS]
ENDS = (
    "status IN ('COMPLETED', 'FAILED', 'CANCELLED')",
    "status IN ('COMPLETED', 'FAILED', 'CANCELLED', 'SKIPPED')",
)
FIRST_END = {f"{end} DESC, IF({end}, recorded_at, NULL), recorded_at DESC" for end in ENDS}
"""The first terminal row, else the latest."""
OF_JOBS = {
    order.replace("recorded_at DESC", "NOT end_time IS NULL DESC, recorded_at DESC") for order in FIRST_END
}
"""The same of a step's jobs: one that was not its last has an end and no terminal row."""
OF_STEPS = {
    f"{latest}{order}"
    for latest in ("attempt DESC, ", "COALESCE(job_index, 0) DESC, attempt DESC, ")
    for order in FIRST_END
}
"""The same of a step's latest attempt, of its latest job."""
CANONICAL = {"recorded_at DESC", "version DESC", *FIRST_END, *OF_JOBS, *OF_STEPS}
OF_ENDS = {
    **dict.fromkeys(("quality/earlier", "quality/history", "quality/of_run"), "recorded_at"),
    "files/read": "IF(state = 'CLAIMED', 1, 0), recorded_at",
    "schedules/record": "outcome.has_begun DESC, outcome.end_time",
    "tables/last_writes": "end_time DESC, pipeline_logging_id",
    "usage/learned": "began_at DESC, pipeline_logging_id",
    "usage/of_tenants": "job_number DESC, attempt DESC",
}
"""Which of several ends is told: a file's by its job; a firing's by its run, or else by the queue; of those
that wrote a table the last; of a step its last job's last attempt, and of its runs the last ones. Each end is
one row, chosen before by a canonical form."""


def orders(tree: exp.Expr) -> Iterator[str]:
    """Write out by what the one row of a key is chosen."""
    for qualify in tree.find_all(exp.Qualify):
        for window in qualify.find_all(exp.Window):
            order = window.args["order"]
            yield ", ".join(one.sql("bigquery").removesuffix(" NULLS LAST") for one in order.expressions)


def name(file: Path) -> str:
    return f"{file.parent.name}/{file.stem}"


@pytest.mark.parametrize("file", FILES, ids=name)
def test_each_choice_of_a_row_is_one_of_the_canonical_forms(file: Path) -> None:
    found = {order for tree in read(file) for order in orders(tree)}
    assert found - {OF_ENDS.get(name(file))} <= CANONICAL


def test_every_choice_that_knows_ends_takes_the_first() -> None:
    chosen = [order for file in FILES for tree in read(file) for order in orders(tree)]
    assert sum("COMPLETED" in order for order in chosen) >= 10


@pytest.mark.parametrize(
    "order",
    [
        "status IN ('COMPLETED', 'FAILED', 'CANCELLED') DESC, recorded_at DESC",
        "status IN ('FAILED') DESC, IF(status IN ('FAILED'), recorded_at, NULL), recorded_at DESC",
        "recorded_at",
    ],
)
def test_another_rule_is_found(order: str, tmp_path: Path) -> None:
    file = tmp_path / "some.sql"
    file.write_text(
        f"SELECT 1 FROM t WHERE TRUE QUALIFY ROW_NUMBER() OVER (PARTITION BY a ORDER BY {order}) = 1"
    )
    (tree,) = read(file)
    assert not set(orders(tree)) <= CANONICAL
