import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from google.cloud import bigquery

from local.bigquery import DataFolderInUse, Housekeeping, LocalBigQuery
from tests.unit.local.conftest import PROJECT, connect, start_endless, start_job
from tests.unit.local.test_bigquery_housekeeping import has_rows, query

pytestmark = pytest.mark.usefixtures("no_server")


def create_rows(client: bigquery.Client) -> None:
    client.create_dataset("d")
    client.query_and_wait("CREATE TABLE d.t (a INT64)")
    assert client.insert_rows_json(f"{PROJECT}.d.t", [{"a": 1}, {"a": 2}]) == []
    start_job(client, "claimed", labels={"tenant": "acme"})


def assert_rows(client: bigquery.Client) -> None:
    assert [row.a for row in client.list_rows(client.get_table("d.t"))] == [1, 2]
    assert client.get_job("claimed").labels == {"tenant": "acme"}


def test_rows_and_jobs_survive_a_restart_in_the_same_process(tmp_path: Path) -> None:
    for act in (create_rows, assert_rows):
        with LocalBigQuery(data_dir=tmp_path, project=PROJECT) as server, connect(server.url) as client:
            act(client)
        assert list(tmp_path.rglob("*.wal")) == []


def test_what_is_ephemeral_is_not_tidied_at_the_end_and_still_whole(tmp_path: Path) -> None:
    with (
        LocalBigQuery(data_dir=tmp_path, project=PROJECT, is_ephemeral=True) as server,
        connect(server.url) as client,
    ):
        create_rows(client)
    assert list(tmp_path.rglob("*.wal")) != []
    with LocalBigQuery(data_dir=tmp_path, project=PROJECT) as server, connect(server.url) as client:
        assert_rows(client)


def test_results_of_an_earlier_start_are_found_again(tmp_path: Path) -> None:
    with LocalBigQuery(data_dir=tmp_path, project=PROJECT) as server, connect(server.url) as client:
        job = query(client, "earlier")
        assert has_rows(client, job)
    chores = Housekeeping(keep_seconds=0.0, pause_seconds=3600.0)
    with LocalBigQuery(data_dir=tmp_path, project=PROJECT, housekeeping=chores) as server:
        server.tidy()
        with connect(server.url) as client:
            assert not has_rows(client, job)


def test_stop_leaves_no_thread_and_the_jobs_that_ran_can_be_retried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local.bigquery.engine.END_SECONDS", 0.1)
    before = set(threading.enumerate())
    with LocalBigQuery(data_dir=tmp_path, project=PROJECT) as server, connect(server.url) as client:
        start_endless(client, "stopped")
    assert set(threading.enumerate()) == before
    with LocalBigQuery(data_dir=tmp_path, project=PROJECT) as server, connect(server.url) as client:
        assert client.get_job("stopped").error_result["reason"] == "backendError"


def test_a_second_server_in_one_process_is_refused(tmp_path: Path) -> None:
    with (
        LocalBigQuery(data_dir=tmp_path / "one", project=PROJECT) as server,
        pytest.raises(RuntimeError, match=server.url),
    ):
        LocalBigQuery(data_dir=tmp_path / "two", project=PROJECT).start()


def test_a_folder_that_another_process_holds_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    holder = (
        "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", holder, str(tmp_path / "tables" / "emulator.duckdb")]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        with pytest.raises(DataFolderInUse, match=str(tmp_path)):
            LocalBigQuery(data_dir=tmp_path, project=PROJECT).start()
        process.communicate()
    with LocalBigQuery(data_dir=tmp_path, project=PROJECT):
        pass


def test_a_taken_port_is_an_error_and_leaves_nothing_running(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        LocalBigQuery(data_dir=tmp_path, project=PROJECT, port=taken.getsockname()[1]).start()
    with LocalBigQuery(data_dir=tmp_path, project=PROJECT):
        pass


def test_a_server_that_is_not_started_says_so(tmp_path: Path) -> None:
    server = LocalBigQuery(data_dir=tmp_path, project=PROJECT)
    with pytest.raises(RuntimeError, match="not started"):
        server.reset()
    server.stop()
