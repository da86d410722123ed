"""Every read of a log table says which days, and whose: else BigQuery reads, and bills, all that ever was."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from common.setup.tables import SETUP_FOLDER, central_tables
from common.warehouse.bigquery import SQL_FOLDER

PARTITIONS = {table.name: table.shape.partition for table in central_tables() if table.shape.partition}
"""The column by whose days a table is partitioned."""
CURRENT = {"current_firings": "scheduled_time", "current_pipeline_runs": "start_time"}
"""Views that choose rows within a day's partition, so that their readers' days reach the table below."""
BOUNDED = {"current_pipeline_queue", "current_step_logs", "tenant_pipeline_execution_view"}
"""Views that say themselves how many days they read."""
PRUNING = (exp.GTE, exp.GT, exp.EQ, exp.Between)
VIEWS = sorted(SETUP_FOLDER.rglob("*.sql"))
STATEMENTS = [file for file in sorted(SQL_FOLDER.rglob("*.sql")) if file.parent.name != "setup"]
"""But for those that copy whole tables."""
OF_ALL_TIME = "last_tickets"
"""What the last ticket was that a tenant ever took is asked for tenants that took none for 200 days."""


def read(file: Path) -> list[exp.Expr]:
    """Parse a file, with its places filled in."""
    text = re.sub(r"\$\{(\w+)\}", lambda place: place[1], file.read_text(encoding="utf-8"))
    return [tree for tree in sqlglot.parse(text, read="bigquery") if tree]


def unpruned(tree: exp.Expr) -> Iterator[str]:
    """Name the log tables that a statement reads without saying which days."""
    for table, select in _sources(tree):
        column = (PARTITIONS | CURRENT).get(table.name)
        if column and not any(_prunes(one, table, column) for one in _conditions(select)):
            yield f"{table.name} without {column}"


def of_everybody(tree: exp.Expr) -> Iterator[str]:
    """Name the log tables that a statement reads without saying whose rows."""
    for table, select in _sources(tree):
        is_log = table.name in {*PARTITIONS, *CURRENT, *BOUNDED}
        if is_log and not any(_names(one, table, "tenant_id") for one in _conditions(select)):
            yield f"{table.name} without tenant_id"


def _sources(tree: exp.Expr) -> Iterator[tuple[exp.Table, exp.Select]]:
    for select in tree.find_all(exp.Select):
        named = [select.args.get("from_"), *select.args.get("joins", ())]
        for clause in named:
            if clause and isinstance(clause.this, exp.Table) and clause.this.db == "dataset":
                yield clause.this, select


def _conditions(select: exp.Select) -> Iterator[exp.Expr]:
    """List what must all be true of a row: of WHERE, and of the joins."""
    places = [select.args.get("where"), *select.args.get("joins", ())]
    for place in places:
        condition = place.this if isinstance(place, exp.Where) else place and place.args.get("on")
        if condition:
            yield from condition.flatten() if isinstance(condition, exp.And) else [condition]


def _prunes(condition: exp.Expr, table: exp.Table, column: str) -> bool:
    """Tell whether a condition compares the column with what is known before the table is read."""
    if not isinstance(condition, PRUNING) or not _is_column(condition.this, table, column):
        return False
    known = [condition.args[name] for name in ("expression", "low") if condition.args.get(name)]
    return bool(known) and not any(one.find(exp.Column, exp.Select) for one in known)


def _names(condition: exp.Expr, table: exp.Table, column: str) -> bool:
    """Tell whether a condition is about that column of that table, and holds it against something."""
    is_comparison = isinstance(condition, (exp.EQ, exp.In))
    return is_comparison and any(_is_column(one, table, column) for one in condition.find_all(exp.Column))


def _is_column(found: exp.Expr, table: exp.Table, column: str) -> bool:
    return isinstance(found, exp.Column) and found.name == column and found.table in {"", table.alias}


@pytest.mark.parametrize("file", STATEMENTS, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_every_read_of_a_log_table_says_which_days(file: Path) -> None:
    expected = ["tenant_pipeline_runs without start_time"] if file.stem == OF_ALL_TIME else []
    assert [what for tree in read(file) for what in unpruned(tree)] == expected


@pytest.mark.parametrize(
    "file",
    [
        file
        for file in STATEMENTS
        if re.search(r"Parameters:.*\btenant_ids? ", file.read_text(encoding="utf-8"))
    ],
    ids=lambda file: f"{file.parent.name}/{file.stem}",
)
def test_every_read_of_a_log_table_for_a_tenant_says_whose_rows(file: Path) -> None:
    assert [what for tree in read(file) for what in of_everybody(tree)] == []


@pytest.mark.parametrize("file", VIEWS, ids=lambda file: file.stem)
def test_every_view_says_which_days_it_reads_or_lets_its_readers_say_it(file: Path) -> None:
    (tree,) = read(file)
    missing = list(unpruned(tree))
    if file.stem not in CURRENT:
        assert missing == []
        return
    windows = list(tree.find_all(exp.Window))
    keys = [{key.name for key in window.args["partition_by"]} for window in windows]
    column = CURRENT[file.stem]
    assert [what.rpartition(" ")[2] for what in missing] == [column]
    assert keys
    assert all({column, "tenant_id"} <= names for names in keys)


def test_there_is_no_other_view_over_log_tables() -> None:
    over = {
        file.stem
        for file in VIEWS
        if any(table.name in {*PARTITIONS, *CURRENT} for tree in read(file) for table, _ in _sources(tree))
    }
    assert over == {*CURRENT, *BOUNDED, "tenant_comprehensive_view"}


@pytest.mark.parametrize(
    "condition",
    [
        "TRUE",
        "recorded_at >= @since",
        "DATE(start_time) >= DATE(@since)",
        "start_time >= recorded_at",
        "start_time >= (SELECT MAX(start_time) FROM x)",
        "start_time < @until",
        "start_time >= @since OR status = 'x'",
    ],
)
def test_a_read_of_all_days_is_found(condition: str) -> None:
    sql = f"SELECT 1 FROM `project.dataset.tenant_pipeline_runs` WHERE {condition}"
    (tree,) = sqlglot.parse(sql, read="bigquery")
    assert tree
    assert list(unpruned(tree)) == ["tenant_pipeline_runs without start_time"]


def test_a_join_with_all_days_is_found() -> None:
    sql = """SELECT 1 FROM `project.dataset.tenant_step_logs` AS step
    LEFT JOIN `project.dataset.current_pipeline_runs` AS run ON run.tenant_id = @tenant_id
    WHERE step.start_time >= @since"""
    (tree,) = sqlglot.parse(sql, read="bigquery")
    assert tree
    assert list(unpruned(tree)) == ["current_pipeline_runs without start_time"]
    assert list(of_everybody(tree)) == ["tenant_step_logs without tenant_id"]
