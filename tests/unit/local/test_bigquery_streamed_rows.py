import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.api_core.exceptions import NotFound
from google.cloud import bigquery
from local_bigquery.catalog import tabledata

from tests.unit.local.conftest import PROJECT

SCHEMA = [bigquery.SchemaField("a", "INT64")]


def rows(client: bigquery.Client, table: str) -> list[int]:
    return sorted(row.a for row in client.query_and_wait(f"SELECT a FROM {table}"))


def test_a_repeated_insert_id_adds_no_row(client: bigquery.Client, dataset: str) -> None:
    table = client.create_table(bigquery.Table(f"{PROJECT}.{dataset}.t", SCHEMA))
    for _ in range(2):
        assert client.insert_rows_json(table, [{"a": 1}], row_ids=["one"]) == []
    assert rows(client, f"{dataset}.t") == [1]


def test_a_table_made_again_takes_the_same_insert_id(client: bigquery.Client, dataset: str) -> None:
    for _ in range(2):
        table = client.create_table(bigquery.Table(f"{PROJECT}.{dataset}.t", SCHEMA))
        client.insert_rows_json(table, [{"a": 1}], row_ids=["one"])
        assert rows(client, f"{dataset}.t") == [1]
        client.delete_table(table)


def test_a_dataset_made_again_takes_the_same_insert_id(client: bigquery.Client, dataset: str) -> None:
    for _ in range(2):
        table = client.create_table(bigquery.Table(f"{PROJECT}.{dataset}.t", SCHEMA))
        client.insert_rows_json(table, [{"a": 1}], row_ids=["one"])
        assert rows(client, f"{dataset}.t") == [1]
        client.delete_dataset(dataset, delete_contents=True)
        client.create_dataset(dataset)


def test_no_row_is_lost_while_dml_changes_the_table(client: bigquery.Client, dataset: str) -> None:
    table = client.create_table(bigquery.Table(f"{PROJECT}.{dataset}.t", SCHEMA))
    done = threading.Event()

    def update() -> None:
        while not done.is_set():
            client.query(f"UPDATE {dataset}.t SET a = a WHERE TRUE", job_retry=None).exception()  # type: ignore[no-untyped-call]

    updating = threading.Thread(target=update)
    updating.start()
    try:
        for number in range(15):
            assert client.insert_rows_json(table, [{"a": number}], row_ids=[str(number)]) == []
    finally:
        done.set()
        updating.join()
    assert rows(client, f"{dataset}.t") == list(range(15))


def test_an_insert_id_whose_rows_were_refused_can_be_used_again(
    client: bigquery.Client, dataset: str
) -> None:
    table = client.create_table(bigquery.Table(f"{PROJECT}.{dataset}.t", SCHEMA))
    refused = client.insert_rows_json(table, [{"a": 1}, {"a": "no number"}], row_ids=["one", "two"])
    assert [error["index"] for error in refused] == [0, 1]
    assert client.insert_rows_json(table, [{"a": 1}], row_ids=["one"]) == []
    assert rows(client, f"{dataset}.t") == [1]
    assert tabledata.DEDUP_SECONDS == 60


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("DATE", ["2024-02-29"], ["2023-02-29", "29.02.2024"]),
        (
            "TIMESTAMP",
            ["2024-02-29T23:59:59.123456Z", "2024-02-29 23:59:59+02:00", "2024-02-29 23:59:59"],
            ["2024-02-30T00:00:00Z", "2024-02-29T25:00:00Z", "soon"],
        ),
        ("FLOAT64", [1.5, 2, "2.5", "NaN"], ["two"]),
    ],
)
def test_a_value_that_a_column_takes_is_known_from_one_that_it_does_not(
    client: bigquery.Client, dataset: str, kind: str, good: list[Any], bad: list[Any]
) -> None:
    table = client.create_table(bigquery.Table(f"{PROJECT}.{dataset}.t", [bigquery.SchemaField("a", kind)]))
    assert client.insert_rows_json(table, [{"a": value} for value in good]) == []
    refused = client.insert_rows_json(table, [{"a": value} for value in bad], skip_invalid_rows=True)
    assert [row["index"] for row in refused] == list(range(len(bad)))
    assert client.get_table(table).num_rows == len(good)


def test_a_timestamp_takes_the_seconds_since_1970(client: bigquery.Client, dataset: str) -> None:
    schema = [
        bigquery.SchemaField("seen", "TIMESTAMP"),
        bigquery.SchemaField("days", "TIMESTAMP", mode="REPEATED"),
        bigquery.SchemaField("parts", "RECORD", fields=[bigquery.SchemaField("seen", "TIMESTAMP")]),
    ]
    table = client.create_table(bigquery.Table(f"{PROJECT}.{dataset}.t", schema))
    given = [1577836800, 1577836800.123456, "1577836800", "1.5778368E9", -1.5, 0]
    rows = [{"seen": value, "days": [value], "parts": {"seen": value}} for value in given]
    assert client.insert_rows_json(table, rows) == []
    sql = (
        f"SELECT UNIX_MICROS(seen), UNIX_MICROS(days[0]), UNIX_MICROS(parts.seen) FROM {dataset}.t ORDER BY 1"
    )
    assert [tuple(row) for row in client.query_and_wait(sql)] == [
        (micros, micros, micros) for micros in (-1500000, 0, *[1577836800000000] * 3, 1577836800123456)
    ]
    refused = client.insert_rows_json(
        table, [{"seen": 1e300}, {"seen": True}, {"seen": 253402300800}], skip_invalid_rows=True
    )
    assert [row["index"] for row in refused] == [0, 1, 2]


def test_a_table_that_has_expired_takes_no_row(client: bigquery.Client, dataset: str) -> None:
    table = client.create_table(bigquery.Table(f"{PROJECT}.{dataset}.t", SCHEMA))
    table.expires = datetime.now(UTC) + timedelta(seconds=0.5)
    client.update_table(table, ["expires"])
    time.sleep(0.6)
    with pytest.raises(NotFound, match="Not found: Table"):
        client.insert_rows_json(table, [{"a": 1}], retry=None)  # type: ignore[arg-type]
