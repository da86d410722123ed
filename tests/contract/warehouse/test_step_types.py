"""Views, copies and snapshots on the local BigQuery: made, made again, and refused where they must be."""

from datetime import date, timedelta
from typing import Any

import pytest

from common.runs.attempts import Outcome
from common.runs.run import StepStatus
from common.warehouse.bigquery import Central
from tests.contract.warehouse.step_runs import StepRuns
from tests.fakes.clock import START

DAY = date(2026, 3, 2)


@pytest.fixture
def steps(bootstrapped: Central) -> StepRuns:
    return StepRuns(central=bootstrapped)


def completed(outcome: Outcome) -> int | None:
    assert outcome.status is StepStatus.COMPLETED, outcome.error
    return outcome.rows[-1].rows


def failed(outcome: Outcome) -> str:
    assert outcome.status is StepStatus.FAILED
    return outcome.error


def a_view(steps: StepRuns, query: str, **config: Any) -> Outcome:
    return steps.run("bq_etl.view", source_query=query, **config)


def test_a_view_is_made_given_another_text_and_read_by_later_steps(steps: StepRuns) -> None:
    steps.make("src", "SELECT 1 AS a, 'x' AS b")
    source = f"{steps.tenant_id}.src"
    assert completed(a_view(steps, f"SELECT a FROM {source}")) is None
    for _ in range(2):
        completed(a_view(steps, f"SELECT a, b FROM {source}"))
        assert steps.rows() == [(1, "x")]
    steps.make("src", "SELECT 2 AS a, 'y' AS b")
    read = steps.run("bq_etl.query", source_query="SELECT a, b FROM t", target_table="u")
    assert (completed(read), steps.rows("SELECT * FROM u")) == (1, [(2, "y")])


def test_a_view_takes_no_tables_place(steps: StepRuns) -> None:
    steps.make("src", "SELECT 1 AS a")
    steps.make("t", "SELECT 7 AS kept, 8 AS too")
    assert failed(a_view(steps, f"SELECT a FROM {steps.tenant_id}.src"))
    assert steps.rows() == [(7, 8)]


def test_what_lies_under_a_view_is_judged_whenever_it_is_read(steps: StepRuns) -> None:
    other = StepRuns(central=steps.central)
    other.make("secrets", "SELECT 1 AS a")
    below = f"`{steps.central.project}.{other.tenant_id}.secrets`"
    steps.rows(f"CREATE VIEW {steps.tenant_id}.inner_view AS SELECT a FROM {below}")
    steps.rows(f"CREATE VIEW {steps.tenant_id}.outer_view AS SELECT a FROM {steps.tenant_id}.inner_view")
    read = steps.run("bq_etl.query", source_query="SELECT a FROM outer_view")
    assert read.rows[-1].error_reason == "firewall"
    made = a_view(steps, f"SELECT a FROM {steps.tenant_id}.outer_view")
    assert made.rows[-1].error_reason == "firewall"
    assert steps.jobs.columns_of(steps.tenant_id, "t") is None


def test_a_copy_takes_several_tables_and_adds_them(steps: StepRuns) -> None:
    steps.make("one", "SELECT 1 AS a, 'x' AS b")
    steps.make("two", "SELECT 2 AS a, 'y' AS b")
    both: Any = {"source_tables": ["one", f"{steps.tenant_id}.two"]}
    for _ in range(2):
        assert completed(steps.run("bq_etl.copy", **both)) == 2
        assert steps.rows() == [(1, "x"), (2, "y")]
    for _ in range(2):
        completed(
            steps.run("bq_etl.copy", DAY, "added", source_tables=["one"], write_disposition="WRITE_APPEND")
        )
    assert steps.rows() == [(1, "x"), (1, "x"), (2, "y")]
    assert failed(steps.run("bq_etl.copy", **both, write_disposition="WRITE_EMPTY"))
    assert len(steps.rows()) == 3


def test_a_view_is_copied_by_nobody(steps: StepRuns) -> None:
    steps.make("src", "SELECT 1 AS a")
    completed(a_view(steps, f"SELECT a FROM {steps.tenant_id}.src", target_table="v"))
    assert "currently a VIEW" in failed(steps.run("bq_etl.copy", source_tables=["v"]))
    assert "currently a VIEW" in failed(steps.run("bq_etl.snapshot", source_table="v", target_table="v_"))


def test_a_day_has_one_snapshot_which_nothing_changes(steps: StepRuns) -> None:
    steps.make("src", "SELECT 1 AS a, 'then' AS b")
    for _ in range(2):
        completed(
            steps.run("bq_etl.snapshot", DAY, source_table="src", target_table="src_", retention_days=36_500)
        )
        steps.make("src", "SELECT 1 AS a, 'now' AS b")
    assert steps.rows("SELECT * FROM src_20260302") == [(1, "then")]
    table = steps.central.client.get_table(f"{steps.tenant_id}.src_20260302")
    assert (table.table_type, table.expires) == ("SNAPSHOT", START + timedelta(days=36_500))
    later = steps.run("bq_etl.snapshot", DAY + timedelta(days=1), source_table="src", target_table="src_")
    completed(later)
    assert steps.rows("SELECT * FROM src_20260303") == [(1, "now")]
    assert failed(steps.run("bq_etl.query", source_query="SELECT 1 AS a", target_table="src_20260302"))
    restored = steps.run("bq_etl.copy", source_tables=["src_20260302"], target_table="src")
    assert (completed(restored), steps.rows("SELECT * FROM src")) == (1, [(1, "then")])


CUSTOMERS = "SELECT 1 AS id, 'Oslo' AS city UNION ALL SELECT 2, 'Rome'"
VERSIONS = "SELECT id, city, DATE(valid_from), DATE(valid_to) FROM t ORDER BY id, valid_from"  # By midnights.


def history(steps: StepRuns, day: date, source: str, **config: Any) -> Outcome:
    steps.make("src", source)
    query: Any = {"source_query": "SELECT * FROM src", "unique_key": ["id"]}
    return steps.run("bq_etl.scd2", day, **{**query, **config})


def test_a_history_has_each_version_of_a_row_once(steps: StepRuns) -> None:
    first, second, third = (DAY + timedelta(days=number) for number in range(3))
    moved = "SELECT 1 AS id, 'Bern' AS city UNION ALL SELECT 3, CAST(NULL AS STRING)"
    assert completed(history(steps, first, CUSTOMERS)) == 2
    assert completed(history(steps, first, CUSTOMERS)) == 0
    expected = [
        (1, "Oslo", first, second),
        (1, "Bern", second, None),
        (2, "Rome", first, None),
        (3, None, second, None),
    ]
    for _ in range(2):
        completed(history(steps, second, moved))
        assert steps.rows(VERSIONS) == expected
    completed(history(steps, third, moved, hard_deletes="close"))
    assert steps.rows(VERSIONS)[2] == (2, "Rome", first, third)
    assert len(steps.rows()) == 4
    completed(history(steps, third, CUSTOMERS.replace("Oslo", "Bern"), hard_deletes="close"))
    assert [row for row in steps.rows(VERSIONS) if row[3] is None] == [
        (1, "Bern", second, None),
        (2, "Rome", third, None),
    ]
    late = history(steps, first, CUSTOMERS)
    assert "history is written in order" in failed(late)
    assert "have the same unique_key" in failed(history(steps, third, f"{CUSTOMERS} UNION ALL SELECT 2, 'x'"))


def test_a_repeat_with_other_rows_changes_the_version_of_its_interval(steps: StepRuns) -> None:
    completed(history(steps, DAY, CUSTOMERS))
    completed(history(steps, DAY, CUSTOMERS.replace("Rome", "Riga")))
    assert steps.rows(VERSIONS) == [(1, "Oslo", DAY, None), (2, "Riga", DAY, None)]
    more = "SELECT id, city, UPPER(city) AS name FROM src"
    next_day = DAY + timedelta(days=1)
    assert "which t has not" in failed(history(steps, next_day, CUSTOMERS, source_query=more))
    added = history(steps, next_day, CUSTOMERS, source_query=more, on_schema_change="append_columns")
    completed(added)
    names = steps.rows("SELECT id, name FROM t WHERE valid_to IS NULL ORDER BY id")
    assert names == [(1, "OSLO"), (2, "ROME")]
