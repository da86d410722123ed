"""A server that is emptied, or brought back to what was saved, while it serves."""

import threading
from pathlib import Path

import pytest
from google.api_core.exceptions import NotFound
from google.cloud import bigquery
from local_bigquery.engine import database

from local.bigquery import LocalBigQuery
from tests.unit.local.test_bigquery_server import assert_rows, create_rows


@pytest.fixture(autouse=True)
def nothing_is_there(server: LocalBigQuery) -> None:
    server.reset()


def test_reset_brings_back_what_was_saved_and_no_more(
    server: LocalBigQuery, client: bigquery.Client, tmp_path: Path
) -> None:
    create_rows(client)
    server.save(tmp_path / "saved")
    for _ in range(2):
        client.create_dataset("later")
        client.query_and_wait("DELETE FROM d.t WHERE TRUE")
        server.reset(tmp_path / "saved")
        assert [dataset.dataset_id for dataset in client.list_datasets()] == ["d"]
        assert_rows(client)


def test_reset_waits_for_those_who_still_read(server: LocalBigQuery, client: bigquery.Client) -> None:
    create_rows(client)
    reader = database.connection().cursor()
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM emulator.jobs")
    threading.Timer(0.3, reader.close).start()
    server.reset()
    create_rows(client)
    assert_rows(client)


def test_reset_deletes_all_data_and_serves_on(server: LocalBigQuery, client: bigquery.Client) -> None:
    create_rows(client)
    server.reset()
    assert list(client.list_datasets()) == []
    assert server.counts.jobs() == 0
    with pytest.raises(NotFound):
        client.get_job("claimed")
    create_rows(client)
    assert_rows(client)
