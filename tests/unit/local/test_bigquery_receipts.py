"""A process that is killed at any point leaves each job with all of its rows and its end, or with neither."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest
from google.cloud import bigquery

from local.bigquery import LocalBigQuery, commits, receipts
from tests.unit.local.conftest import PROJECT, ROOT, connect

pytestmark = pytest.mark.usefixtures("no_server")

KINDS = (
    "append",
    "replace",
    "insert",
    "update",
    "delete",
    "merge",
    "script",
    "copy",
    "load",
    "create",
    "recreate",
    "clone",
    "snapshot",
)
"""Each works on a table of its own, which holds the rows 1 and 2 before, or is not there."""
AFTER = {
    "append": [1, 2, 3],
    "replace": [3],
    "insert": [1, 2, 3],
    "update": [1, 5],
    "delete": [1],
    "merge": [2, 3, 4],
    "script": [1, 2, 3, 4],
    "copy": [1, 2, 3],
    "load": [1, 2, 3],
    "recreate": [3],
    "create": [3],
    "clone": [3],
    "snapshot": [3],
}
CONFLICTS = 3
"""One commit after the other that a job meets."""
NEW = ("create", "clone", "snapshot")
SQL = {
    "insert": "INSERT INTO d.t_insert (a) VALUES (3)",
    "update": "UPDATE d.t_update SET a = 5 WHERE a = 2",
    "delete": "DELETE FROM d.t_delete WHERE a = 2",
    "merge": """
        MERGE d.t_merge AS t USING (SELECT 1 AS a UNION ALL SELECT 3) AS s ON t.a = s.a
        WHEN MATCHED THEN UPDATE SET a = t.a + 3 WHEN NOT MATCHED THEN INSERT (a) VALUES (s.a)
    """,
    "script": """
        BEGIN TRANSACTION;
        INSERT INTO d.t_script (a) VALUES (3); INSERT INTO d.t_script (a) VALUES (4);
        COMMIT TRANSACTION;
    """,
    "create": "CREATE TABLE d.t_create AS SELECT 3 AS a",
    "recreate": "CREATE OR REPLACE TABLE d.t_recreate AS SELECT 3 AS a",
}
START = """
import os, sys
from pathlib import Path
from local.bigquery import LocalBigQuery
from tests.unit.local.conftest import PROJECT, connect
server = LocalBigQuery(data_dir=Path(sys.argv[1]), project=PROJECT)
client = connect(server.start())
"""
KILL_WHEN_ALL_ARE_AT = """
import signal
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Lock
from local.bigquery import commits, receipts
from local_bigquery.engine import database
from local_bigquery.jobs import runner
from tests.unit.local.test_bigquery_receipts import KINDS, prepare, start
arrived, lock = set(), Lock()

def stop(job_id):
    with lock:
        arrived.add(job_id)
        if len(arrived) == len(KINDS):
            os.kill(os.getpid(), signal.SIGKILL)
    Event().wait()

prepare(client, Path(sys.argv[1]))
"""
THE_END = """
save = runner.store.save
def save_unless_done(job):
    if job.status.state == "DONE":
        stop(job.jobReference.jobId)
    return save(job)
runner.store.save = save_unless_done
"""
THE_COMMIT = """
leave = receipts.ReceiptCursor._leave_receipt
def leave_and_stop(cursor):
    leave(cursor)
    stop(cursor._name)
receipts.ReceiptCursor._leave_receipt = leave_and_stop
"""
START_ALL = """
runner._executor._max_workers = len(KINDS)
runner._execute = receipts._execute_job  # All at once, and not as many as the engine lets.
commits.TURN_SECONDS = 0.1  # Whose turn it is has stopped: the others go on without one.
with ThreadPoolExecutor(len(KINDS)) as starting:
    list(starting.map(lambda kind: start(client, kind), KINDS))
Event().wait(60)  # The test fails where one does not arrive.
"""


def in_new_process(data_dir: Path, script: str) -> subprocess.CompletedProcess[str]:
    """Run `script` after START, as somebody without a home."""
    command = [sys.executable, "-c", START + script, str(data_dir)]
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env=environment, cwd=data_dir, capture_output=True, text=True, check=False)


def prepare(client: bigquery.Client, folder: Path, kinds: Sequence[str] = KINDS) -> None:
    """Make a table for each kind, and what some of them read."""
    client.create_dataset("d")
    made = ["CREATE TABLE d.source AS SELECT 3 AS a"]
    made += [
        f"CREATE TABLE d.t_{kind} AS SELECT a FROM UNNEST([1, 2]) AS a" for kind in kinds if kind not in NEW
    ]
    client.query_and_wait(";".join(made))
    (folder / "gcs" / "bucket").mkdir(parents=True)
    (folder / "gcs" / "bucket" / "rows.csv").write_text("3\n")


def start(client: bigquery.Client, kind: str) -> None:
    """Start the job of one kind, under its name."""
    table = f"{PROJECT}.d.t_{kind}"
    append = bigquery.WriteDisposition.WRITE_APPEND
    if kind in ("append", "replace"):
        truncate = bigquery.WriteDisposition.WRITE_TRUNCATE
        written = bigquery.QueryJobConfig(
            destination=table,
            write_disposition=append if kind == "append" else truncate,
            clustering_fields=["a"],
        )
        client.query("SELECT a FROM d.source", written, job_id=kind, job_retry=None)
    elif kind == "copy":
        copied = bigquery.CopyJobConfig(write_disposition=append)
        client.copy_table(f"{PROJECT}.d.source", table, job_id=kind, job_config=copied)
    elif kind in ("clone", "snapshot"):
        made = bigquery.CopyJobConfig(operation_type=kind.upper())
        client.copy_table(f"{PROJECT}.d.source", table, job_id=kind, job_config=made)
    elif kind == "load":
        loaded = bigquery.LoadJobConfig(
            write_disposition=append, schema=[bigquery.SchemaField("a", "INTEGER", description="Amount.")]
        )
        client.load_table_from_uri("gs://bucket/rows.csv", table, job_id=kind, job_config=loaded)
    else:
        client.query(SQL[kind], job_id=kind, job_retry=None)


def rows_of(client: bigquery.Client, kind: str) -> list[int]:
    return sorted(row.a for row in client.list_rows(client.get_table(f"d.t_{kind}")))


def test_a_job_that_is_killed_after_its_rows_are_committed_is_done_at_the_next_start(tmp_path: Path) -> None:
    killed = in_new_process(tmp_path, KILL_WHEN_ALL_ARE_AT + THE_END + START_ALL)
    assert killed.returncode == -9, killed.stderr
    with LocalBigQuery(data_dir=tmp_path, project=PROJECT) as server, connect(server.url) as client:
        jobs = {kind: client.get_job(kind) for kind in KINDS}
        assert {kind: (job.state, job.error_result) for kind, job in jobs.items()} == dict.fromkeys(
            KINDS, ("DONE", None)
        )
        assert {kind: rows_of(client, kind) for kind in KINDS} == AFTER
        assert jobs["merge"].num_dml_affected_rows == 2
        assert (jobs["update"].num_dml_affected_rows, jobs["update"].statement_type) == (1, "UPDATE")
        assert jobs["load"].output_rows == 1
        assert (jobs["create"].statement_type, jobs["create"].num_dml_affected_rows) == (
            "CREATE_TABLE_AS_SELECT",
            None,
        )
        assert client.get_table("d.t_replace").clustering_fields == ["a"]


def test_a_job_that_is_killed_before_its_rows_are_committed_has_failed_without_rows(tmp_path: Path) -> None:
    killed = in_new_process(tmp_path, KILL_WHEN_ALL_ARE_AT + THE_COMMIT + START_ALL)
    assert killed.returncode == -9, killed.stderr
    with LocalBigQuery(data_dir=tmp_path, project=PROJECT) as server, connect(server.url) as client:
        errors = {kind: client.get_job(kind).error_result["reason"] for kind in KINDS}
        assert errors == dict.fromkeys(KINDS, "backendError")
        assert {kind: rows_of(client, kind) for kind in KINDS if kind not in NEW} == {
            kind: [1, 2] for kind in KINDS if kind not in NEW
        }
        assert {table.table_id for table in client.list_tables("d")}.isdisjoint(f"t_{kind}" for kind in NEW)


def test_a_job_that_is_stopped_after_its_rows_are_committed_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with LocalBigQuery(data_dir=tmp_path, project=PROJECT) as server, connect(server.url) as client:
        prepare(client, tmp_path, kinds=["append"])

        def interrupted(*_: object) -> None:
            raise RuntimeError("interrupted after the commit")

        monkeypatch.setattr("local_bigquery.catalog.tables.annotate", interrupted)
        start(client, "append")
        job = client.get_job("append")
        job.result()
        assert (job.state, job.error_result) == ("DONE", None)
        assert rows_of(client, "append") == [1, 2, 3]


def test_a_job_that_meets_other_ones_commits_does_its_work_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit, left = commits.Connection._commit, [None] * CONFLICTS

    def commit_late(connection: commits.Connection) -> None:
        if receipts._job.get() and left:
            left.pop()
            connection._connection.execute("ROLLBACK")
            raise duckdb.TransactionException("Failed to commit: Failed to commit DuckLake transaction.")
        commit(connection)

    monkeypatch.setattr(commits.Connection, "_commit", commit_late)
    with LocalBigQuery(data_dir=tmp_path, project=PROJECT) as server, connect(server.url) as client:
        client.create_dataset("d")
        appended = bigquery.QueryJobConfig(destination=f"{PROJECT}.d.t", write_disposition="WRITE_APPEND")
        client.query("SELECT 1 AS a", appended, job_retry=None).result()
        assert not left
        assert [row.a for row in client.query_and_wait("SELECT a FROM d.t")] == [1]
