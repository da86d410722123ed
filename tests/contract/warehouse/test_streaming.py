"""Rows streamed, and claims made, as BigQuery likes it: many rows in a call, few calls in a second."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from google.cloud import bigquery

from common.errors import NoSuchResource, RowsRefused, Unavailable
from common.warehouse.bigquery import Central
from common.warehouse.clients import RateLimiter
from common.warehouse.jobs import ClaimedJobs
from common.warehouse.streaming import MAX_INSERT_ID_CHARACTERS, MAX_ROWS, PAUSES_SECONDS, Streaming

if TYPE_CHECKING:
    from local.bigquery import LocalBigQuery


@pytest.fixture(scope="module")
def table(central: Central) -> str:
    central.client.create_dataset(central.dataset)
    schema = [bigquery.SchemaField("number", "INT64")]
    central.client.create_table(bigquery.Table(central.table("numbers"), schema))
    return "numbers"


@pytest.mark.parametrize(("rows", "calls"), [(0, 0), (1, 1), (MAX_ROWS, 1), (MAX_ROWS + 1, 2)])
def test_rows_are_streamed_five_hundred_in_a_call_and_all_arrive(
    local_bigquery: "LocalBigQuery", central: Central, table: str, rows: int, calls: int
) -> None:
    local_bigquery.counts.reset()
    Streaming(central=central).append(table, {f"{rows}-{row}": {"number": rows} for row in range(rows)})
    assert local_bigquery.counts.insert_all == calls
    sql = f"SELECT COUNT(*) AS n FROM `{central.table(table)}` WHERE number = {rows}"
    assert [row.n for row in central.client.query_and_wait(sql)] == [rows]


def test_rows_of_keys_that_are_too_long_for_an_insert_id_arrive_once(central: Central, table: str) -> None:
    same = "k" * MAX_INSERT_ID_CHARACTERS
    rows = {f"{same}{end}": {"number": -7} for end in ("", "a", "b", "a" * 300)}
    for _ in range(2):
        Streaming(central=central).append(table, rows)
    sql = f"SELECT COUNT(*) AS n FROM `{central.table(table)}` WHERE number = -7"
    assert [row.n for row in central.client.query_and_wait(sql)] == [len(rows)]


def test_bigquery_takes_no_row_of_a_call_with_an_insert_id_that_is_too_long(
    central: Central, table: str
) -> None:
    ids = ["short", "k" * (MAX_INSERT_ID_CHARACTERS + 1)]
    errors = central.client.insert_rows_json(central.table(table), [{"number": -8}] * 2, row_ids=ids)
    assert [row["errors"][0]["reason"] for row in errors] == ["stopped", "invalid"]
    sql = f"SELECT COUNT(*) AS n FROM `{central.table(table)}` WHERE number = -8"
    assert [row.n for row in central.client.query_and_wait(sql)] == [0]


def test_each_claim_waits_for_its_turn(central: Central) -> None:
    slept: list[float] = []
    limiter = RateLimiter(per_second=4, clock=lambda: 0.0, sleep=slept.append)
    claims = ClaimedJobs(client=central.client, location=central.location, limiter=limiter)
    for number in range(3):
        claims.insert_claim(f"cvg-paced-{number}", {})
    assert slept == [0.25, 0.5]


def test_a_claim_is_one_request(local_bigquery: "LocalBigQuery", central: Central) -> None:
    local_bigquery.counts.reset()
    ClaimedJobs(client=central.client, location=central.location).insert_claim("cvg-one-request", {"a": "b"})
    assert local_bigquery.counts.methods == {"jobs.insert": 1}


@pytest.fixture
def late(local_bigquery: "LocalBigQuery") -> Iterator["Late"]:
    """Let BigQuery learn late of tables that are made or changed; time passes while somebody sleeps."""
    late, delay = Late(), local_bigquery.streaming_delay
    delay.is_on, delay.clock = True, lambda: sum(late.slept)
    yield late
    delay.reset()


class Late:
    """Writes down pauses."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def streaming(self, central: Central, name: str, *columns: str) -> Streaming:
        """Make a table that is defined, or give it more columns, and return what streams to it."""
        schema = [bigquery.SchemaField(column, "INT64") for column in columns]
        table = bigquery.Table(central.table(name), schema)
        if name in [item.table_id for item in central.client.list_tables(central.dataset)]:
            central.client.update_table(table, ["schema"])
        else:
            central.client.create_table(table)
        return Streaming(central=central, sleep=self.slept.append, known=frozenset({name}))


def test_rows_for_a_new_table_wait_until_streaming_knows_it(
    local_bigquery: "LocalBigQuery", central: Central, table: str, late: Late
) -> None:
    local_bigquery.streaming_delay.seconds = sum(PAUSES_SECONDS)
    late.streaming(central, "made", "number").append("made", {"a": {"number": 1}})
    assert late.slept == list(PAUSES_SECONDS)
    assert [row.number for row in central.client.list_rows(central.table("made"))] == [1]


def test_rows_with_a_new_column_wait_until_streaming_knows_it(
    local_bigquery: "LocalBigQuery", central: Central, table: str, late: Late
) -> None:
    local_bigquery.streaming_delay.seconds = PAUSES_SECONDS[0]
    late.streaming(central, "changed", "number")
    late.slept.append(PAUSES_SECONDS[0])
    streaming = late.streaming(central, "changed", "number", "more")
    streaming.append("changed", {"a": {"number": 1, "more": 2}, "b": {"number": 3}})
    assert len(late.slept) == 2
    rows = {(row.number, row.more) for row in central.client.list_rows(central.table("changed"))}
    assert rows == {(1, 2), (3, None)}


@pytest.mark.parametrize("columns", [("number",), ("number", "more")], ids=["a table", "a column"])
def test_what_streaming_does_not_know_for_minutes_is_unavailable(
    central: Central, table: str, late: Late, columns: tuple[str, ...]
) -> None:
    streaming = late.streaming(central, "unknown", "number")
    if len(columns) > 1:
        late.slept.append(120.0)
        streaming = late.streaming(central, "unknown", *columns)
    late.slept.clear()
    with pytest.raises(Unavailable):
        streaming.append("unknown", {"a": dict.fromkeys(columns, 1)})
    assert late.slept == list(PAUSES_SECONDS)


@pytest.mark.parametrize(
    ("name", "row", "error"),
    [("numbers", {"number": "x"}, RowsRefused), ("nowhere", {"number": 1}, NoSuchResource)],
    ids=["a row that fits no table", "a table that nothing defines"],
)
def test_what_no_patience_mends_is_refused_at_once(
    central: Central, table: str, late: Late, name: str, row: dict[str, Any], error: type[Exception]
) -> None:
    streaming = Streaming(central=central, sleep=late.slept.append, known=frozenset({"numbers"}))
    with pytest.raises(error):
        streaming.append(name, {"a": row})
    assert late.slept == []
