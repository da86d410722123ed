"""Streaming into fresh tables, as BigQuery takes it: late, or not at all."""

from collections.abc import Iterator
from typing import Any

import pytest
from google.api_core import exceptions as google
from google.cloud import bigquery

from local.bigquery import LocalBigQuery
from tests.unit.local.conftest import PROJECT

SCHEMA = [bigquery.SchemaField("a", "INT64")]
WIDER = [*SCHEMA, bigquery.SchemaField("b", "INT64")]


class Seconds:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def seconds(server: LocalBigQuery) -> Iterator[Seconds]:
    """Switch the delay on: 60 seconds of a clock that stands still."""
    clock, delay = Seconds(), server.streaming_delay
    delay.is_on, delay.seconds, delay.clock = True, 60.0, clock
    yield clock
    delay.reset()


@pytest.fixture
def name(client: bigquery.Client, dataset: str, seconds: Seconds) -> str:
    """Make a table that streaming knows."""
    client.create_table(bigquery.Table(f"{PROJECT}.{dataset}.t", SCHEMA))
    seconds.now += 60
    return f"{PROJECT}.{dataset}.t"


def stream(client: bigquery.Client, name: str, row: dict[str, int]) -> list[dict[str, Any]]:
    """Stream one row by the real client."""
    return list(client.insert_rows_json(name, [row]))


def values(client: bigquery.Client, name: str) -> list[int]:
    return sorted(row.a for row in client.query_and_wait(f"SELECT a FROM `{name}`"))


def test_a_new_table_cannot_be_streamed_to_at_first(
    client: bigquery.Client, dataset: str, seconds: Seconds
) -> None:
    name = f"{PROJECT}.{dataset}.t"
    client.create_table(bigquery.Table(name, SCHEMA))
    with pytest.raises(google.NotFound):
        stream(client, name, {"a": 1})
    client.query_and_wait(f"INSERT `{name}` (a) VALUES (2)")
    seconds.now += 60
    assert stream(client, name, {"a": 3}) == []
    assert values(client, name) == [2, 3]


@pytest.mark.parametrize("how", ["replaced", "deleted and made", "its dataset deleted and made"])
def test_rows_for_a_table_that_was_made_anew_are_taken_and_lost(
    client: bigquery.Client, dataset: str, name: str, seconds: Seconds, how: str
) -> None:
    if how == "replaced":
        client.query_and_wait(f"CREATE OR REPLACE TABLE `{name}` (a INT64)")
    elif how == "deleted and made":
        client.delete_table(name)
        client.create_table(bigquery.Table(name, SCHEMA))
    else:
        client.delete_dataset(dataset, delete_contents=True)
        client.create_dataset(dataset)
        client.create_table(bigquery.Table(name, SCHEMA))
    assert stream(client, name, {"a": 1}) == []
    seconds.now += 60
    assert stream(client, name, {"a": 2}) == []
    assert values(client, name) == [2]


def test_a_new_column_is_no_such_field_at_first(client: bigquery.Client, name: str, seconds: Seconds) -> None:
    client.update_table(bigquery.Table(name, WIDER), ["schema"])
    ((error,),) = [row["errors"] for row in stream(client, name, {"a": 1, "b": 1})]
    assert (error["reason"], error["message"]) == ("invalid", "no such field: b.")
    assert stream(client, name, {"a": 2}) == []
    seconds.now += 60
    assert stream(client, name, {"a": 3, "b": 3}) == []
    assert values(client, name) == [2, 3]


def test_without_the_switch_a_table_is_streamed_to_at_once(
    server: LocalBigQuery, client: bigquery.Client, dataset: str
) -> None:
    server.streaming_delay.is_on = False
    name = f"{PROJECT}.{dataset}.t"
    client.create_table(bigquery.Table(name, SCHEMA))
    assert stream(client, name, {"a": 1}) == []
    assert values(client, name) == [1]
