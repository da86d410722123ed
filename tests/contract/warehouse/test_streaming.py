"""Rows streamed, and claims made, as BigQuery likes it: many rows in a call, few calls in a second."""

from typing import TYPE_CHECKING

import pytest
from google.cloud import bigquery

from common.warehouse.jobs import ClaimedJobs
from common.warehouse.paces import Pace
from common.warehouse.queries import Central
from common.warehouse.streaming import MOST_ROWS, Streaming

if TYPE_CHECKING:
    from local.bigquery import LocalBigQuery


@pytest.fixture(scope="module")
def table(central: Central) -> str:
    central.client.create_dataset(central.dataset)
    schema = [bigquery.SchemaField("number", "INT64")]
    central.client.create_table(bigquery.Table(central.table("numbers"), schema))
    return "numbers"


@pytest.mark.parametrize(("rows", "calls"), [(0, 0), (1, 1), (MOST_ROWS, 1), (MOST_ROWS + 1, 2)])
def test_rows_are_streamed_five_hundred_in_a_call_and_all_arrive(
    local_bigquery: "LocalBigQuery", central: Central, table: str, rows: int, calls: int
) -> None:
    local_bigquery.counts.reset()
    Streaming(central=central).append(table, {f"{rows}-{row}": {"number": rows} for row in range(rows)})
    assert local_bigquery.counts.insert_all == calls
    sql = f"SELECT COUNT(*) AS n FROM `{central.table(table)}` WHERE number = {rows}"
    assert [row.n for row in central.client.query_and_wait(sql)] == [rows]


def test_each_claim_waits_for_its_turn(central: Central) -> None:
    slept: list[float] = []
    pace = Pace(per_second=4, clock=lambda: 0.0, sleep=slept.append)
    claims = ClaimedJobs(client=central.client, location=central.location, pace=pace)
    for number in range(3):
        claims.insert_claim(f"cvg-paced-{number}", {})
    assert slept == [0.25, 0.5]


def test_a_claim_is_one_request(local_bigquery: "LocalBigQuery", central: Central) -> None:
    local_bigquery.counts.reset()
    ClaimedJobs(client=central.client, location=central.location).insert_claim("cvg-one-request", {"a": "b"})
    assert local_bigquery.counts.methods == {"jobs.insert": 1}
