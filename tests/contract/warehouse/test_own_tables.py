"""Tables of tenants' datasets: in memory and in BigQuery they do the same; values keep their types."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from dateutil.relativedelta import relativedelta
from google.cloud import bigquery

from common.errors import Conflict, NoSuchResource, NotFound
from common.runs.run import StepRow, StepStatus
from common.tenants.own_tables import OwnTables, TableStore
from common.times import utc_now
from common.warehouse.bigquery import Central, Queries
from common.warehouse.own_tables import TableRows, WriteRows, json_form
from common.warehouse.step_rows import step_row
from common.warehouse.streaming import Streaming
from tests.fakes.tables import MemoryTables
from tests.unit.runs.examples import a_run

VALUES = """
SELECT 9007199254740993 AS whole, 1.5 AS real, NUMERIC '10.25' AS exact, TRUE AS flag, 'ä' AS text,
  b'\\x00\\xff' AS raw, DATE '2024-01-31' AS day, TIMESTAMP '2024-01-31 09:30:00+00' AS moment,
  DATETIME '2024-01-31 09:30:00' AS clock,
  TIME '09:30:00' AS hour, STRUCT(1 AS a, 'b' AS b) AS pair, [1, 2] AS many, CAST(NULL AS STRING) AS nothing
"""
SHOWN = {
    "whole": 9007199254740993,
    "real": 1.5,
    "exact": "10.25",
    "flag": True,
    "text": "ä",
    "raw": "AP8=",
    "day": "2024-01-31",
    "moment": "2024-01-31T09:30:00.000000Z",
    "clock": "2024-01-31T09:30:00",
    "hour": "09:30:00",
    "pair": {"a": 1, "b": "b"},
    "many": [1, 2],
    "nothing": None,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """One implementation, and a way to make tables and views of numbers there."""

    store: TableStore
    make: Callable[[str, str, int], None]
    make_view: Callable[[str, str], None]


def memory_backend() -> Backend:
    tables = MemoryTables()
    return Backend(
        store=tables,
        make=lambda tenant, name, rows: tables.put(tenant, name, [{"n": n} for n in range(rows)]),
        make_view=lambda tenant, name: tables.put(tenant, name, kind="VIEW", rows=None, bytes=None),
    )


def bigquery_backend(central: Central) -> Backend:
    client = central.client

    def make(tenant: str, name: str, rows: int) -> None:
        config = bigquery.QueryJobConfig(destination=f"{central.project}.{tenant}.{name}")
        client.query(f"SELECT n FROM UNNEST(GENERATE_ARRAY(0, {rows - 1})) AS n", config).result()

    def make_view(tenant: str, name: str) -> None:
        view = bigquery.Table(f"{central.project}.{tenant}.{name}")
        view.view_query = "SELECT 1 AS n"
        client.create_table(view)

    return Backend(store=TableRows(client=client, project=central.project), make=make, make_view=make_view)


@pytest.fixture(params=["memory", "bigquery"])
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    if request.param == "memory":
        yield memory_backend()
        return
    central: Central = request.getfixturevalue("bootstrapped")
    for tenant in ("acme", "other"):
        central.client.create_dataset(tenant)
    yield bigquery_backend(central)
    for tenant in ("acme", "other"):
        central.client.delete_dataset(tenant, delete_contents=True)


def test_tables_are_named_described_listed_and_deleted_in_their_dataset_alone(backend: Backend) -> None:
    store = backend.store
    backend.make("acme", "orders", 3)
    backend.make("other", "theirs", 1)
    backend.make_view("acme", "seen")
    assert sorted(store.names("acme")) == ["orders", "seen"]
    assert store.names("gone") == []
    described = {table.name: table for table in store.describe("acme", ["orders", "seen", "theirs"])}
    assert [(name, table.kind, table.rows) for name, table in described.items()] == [
        ("orders", "TABLE", 3),
        ("seen", "VIEW", None),
    ]
    assert store.first_rows("acme", "orders", 2) == [{"n": 0}, {"n": 1}]
    with pytest.raises(NoSuchResource):
        store.first_rows("acme", "theirs", 2)
    for _ in range(2):
        store.delete("acme", "orders")
        store.delete("acme", "theirs")
    assert (store.names("acme"), store.names("other")) == (["seen"], ["theirs"])


def test_a_view_and_what_is_not_there_are_told_apart(backend: Backend) -> None:
    backend.make_view("acme", "seen")
    tables = OwnTables(store=backend.store, writes=MemoryTables(), clock=utc_now)
    with pytest.raises(Conflict, match="seen is a VIEW"):
        tables.rows("acme", "seen", 10)
    with pytest.raises(NotFound):
        tables.rows("acme", "gone", 10)


def test_values_keep_their_types(bootstrapped: Central) -> None:
    client = bootstrapped.client
    client.create_dataset("typed")
    config = bigquery.QueryJobConfig(destination=f"{bootstrapped.project}.typed.values")
    client.query(VALUES, config).result()
    store = TableRows(client=client, project=bootstrapped.project)
    (row,) = store.first_rows("typed", "values", 10)
    assert row == SHOWN
    (table,) = store.describe("typed", ["values"])
    kinds = {column.name: (column.type, column.mode) for column in table.columns}
    assert (kinds["whole"], kinds["real"], kinds["many"][1]) == (
        ("INT64", "NULLABLE"),
        ("FLOAT64", "NULLABLE"),
        "REPEATED",
    )
    assert [field.name for column in table.columns if column.name == "pair" for field in column.fields] == [
        "a",
        "b",
    ]
    client.delete_dataset("typed", delete_contents=True)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (float("nan"), "NaN"),
        (float("-inf"), "-Infinity"),
        (
            {"start": None, "end": datetime(2024, 1, 1, tzinfo=UTC)},
            {"start": None, "end": "2024-01-01T00:00:00.000000Z"},
        ),
        (relativedelta(years=1, months=2, days=-3, hours=4, minutes=5, seconds=6), "1-2 -3 4:5:6"),
        (relativedelta(months=-13, seconds=-1, microseconds=-500_000), "-1-1 0 -0:0:1.500000"),
    ],
)
def test_what_json_has_no_word_for_is_text(value: Any, shown: Any) -> None:
    assert json_form(value) == shown


def a_row(step_id: str, ended: datetime | None, **changes: Any) -> StepRow:
    fields: dict[str, Any] = {
        "step_id": step_id,
        "ps_type": "bq_etl.query",
        "index": 0,
        "level": 1,
        "attempt": 1,
        "status": StepStatus.COMPLETED,
        "started_at": utc_now() - timedelta(hours=2),
        "ended_at": ended,
        "target_table": "orders",
    }
    return StepRow(**fields | changes)


def test_the_last_step_that_has_written_a_table_is_known(bootstrapped: Central) -> None:
    now = utc_now()
    mine = a_run(tenant_id="writer")
    rows = [
        (mine, a_row("early", now - timedelta(hours=1))),
        (mine, a_row("late", now - timedelta(minutes=9), target_table="orders$20240131")),
        (mine, a_row("under_way", None, status=StepStatus.RUNNING)),
        (mine, a_row("failed", now, status=StepStatus.FAILED)),
        (mine, a_row("elsewhere", now, target_table="totals")),
        (a_run(tenant_id="stranger", run_id="another"), a_row("theirs", now)),
    ]
    streaming = Streaming(central=bootstrapped)
    streaming.append("tenant_step_logs", {row.step_id: step_row(run, row, now) for run, row in rows})
    writes = WriteRows(queries=Queries(central=bootstrapped))
    found = writes.last_writes("writer", ["orders"], now - timedelta(days=400))
    assert {name: (one.config_id, one.step_id, one.run_id) for name, one in found.items()} == {
        "orders": ("daily", "late", mine.run_id)
    }
    assert writes.last_writes("writer", ["orders"], now - timedelta(minutes=1)) == {}
