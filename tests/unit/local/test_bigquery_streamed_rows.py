import threading

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
