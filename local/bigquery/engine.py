"""The life of `local_bigquery` inside this process: open on a folder, closed without loss, wiped.

`local_bigquery` keeps its connection, its job threads and its caches in module globals, and was made to
live as long as its process. Everything that knows those globals is in this module, in `jobs` and in
`catalog`, and holds for version 0.3.2.
"""

import shutil
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
from local_bigquery import errors
from local_bigquery.api import uploads
from local_bigquery.catalog import tabledata
from local_bigquery.engine import database, sessions
from local_bigquery.jobs import runner
from local_bigquery.settings import settings

from local.bigquery import (
    aggregates,
    array_paths,
    byte_literals,
    catalog,
    columns,
    date_parts,
    error_places,
    extracts,
    job_records,
    jobs,
    json_changes,
    json_paths,
    latency,
    layouts,
    load_schemas,
    loads,
    more_pipes,
    partitions,
    receipts,
    result_rows,
    rewrites,
    streamed_rows,
    translations,
    unnamed_datasets,
    values_as_text,
    with_expressions,
)
from local.bigquery.answers import ERRORS
from local.bigquery.duckdb_settings import ConfiguredDuckDB
from local.bigquery.sql_files import sql

HIDDEN_DATASET = "_default"
JOB_THREADS = 8
WAITING_JOBS = 256
"""How many jobs can be there at once; all but `JOB_THREADS` of them wait."""
END_SECONDS = 5.0
LET_GO_SECONDS = 0.01
MEMORIES = (
    database._writers,
    tabledata._recent,
    uploads._resumable,
    runner._running,
    catalog.RESOURCES,
    catalog.TABLES,
    catalog.ROWS,
    job_records.UNWRITTEN,
    job_records.NEW,
    job_records.LATEST,
    translations.TREES,
    translations.TRANSLATIONS,
)


class DataFolderInUse(RuntimeError):
    """Another process has the data folder open."""


class Engine:
    """The embedded BigQuery on one data folder."""

    def __init__(self, data_dir: Path, project: str, *, is_ephemeral: bool = False) -> None:
        self._data_dir = data_dir
        self._project = project
        self._is_ephemeral = is_ephemeral

    def open(self) -> None:
        """Open the folder, and end the jobs that an earlier process left unfinished."""
        settings.data_dir = self._data_dir / "tables"
        settings.gcs_local_root = self._data_dir / "gcs"
        settings.default_project_id = self._project
        settings.default_dataset_id = HIDDEN_DATASET  # the underscore keeps it out of datasets.list
        errors.STATUSES.update(ERRORS)
        database.duckdb = ConfiguredDuckDB(self._data_dir / "duckdb", catalog.note)
        runner.cancel, runner._done = jobs.cancel, jobs.done
        receipts.install()
        loads.install()
        extracts.install()
        runner._execute = latency.late(runner._execute, JOB_THREADS)
        job_records.install()
        streamed_rows.install()
        array_paths.install()
        rewrites.install()
        columns.install()
        error_places.install()
        translations.install()
        unnamed_datasets.install()
        with_expressions.install()
        more_pipes.install()
        byte_literals.install()
        aggregates.install()
        date_parts.install()
        json_paths.install()
        runner._executor = ThreadPoolExecutor(WAITING_JOBS, "bigquery-job")
        try:
            self._connect()
        except duckdb.IOException as error:
            raise DataFolderInUse(f"{self._data_dir} cannot be opened: {error}") from error

    def close(self) -> None:
        """End running jobs, write everything to the folder unless it is ephemeral, and let go of it."""
        jobs.end_all(END_SECONDS)
        runner._executor.shutdown()
        self._disconnect()

    def save(self, folder: Path) -> None:
        """Copy all tables into a folder that is not there yet."""
        _checkpoint()
        shutil.copytree(settings.data_dir, folder)

    def wipe(self, saved: Path | None = None) -> None:
        """Delete all data, and have the tables of a folder instead.

        The connection stays, for its macros take most of the time of opening.
        """
        with database.cursor() as cursor:
            for name in (*database.projects(), catalog.EMULATOR):
                cursor.execute(f"DETACH {database.quote(name)}")
            shutil.rmtree(settings.data_dir)
            shutil.rmtree(self._data_dir / "gcs", ignore_errors=True)
            if saved:
                shutil.copytree(saved, settings.data_dir)
            else:
                settings.data_dir.mkdir()
            emulator = f"ATTACH '{settings.data_dir / 'emulator.duckdb'}' AS {catalog.EMULATOR}"
            _once_let_go(lambda: cursor.execute(emulator))
            cursor.execute(database.EMULATOR_SCHEMA)
            database._attached.clear()
            _once_let_go(lambda: database._attach(cursor, self._project))
        _clear(MEMORIES)

    def merge_files(self) -> None:
        """Merge small data files; a merge and an UPDATE at once would fail each other."""
        for project in database.projects():
            database.fetch(sql("merge_files"), {"project": project})
            database.fetch(sql("delete_merged_files"), {"project": project})

    def _connect(self) -> None:
        database.connection()
        catalog.install()
        values_as_text.install()
        json_changes.install()
        result_rows.install()
        layouts.install()
        partitions.install()
        load_schemas.install()
        jobs.end_unfinished()

    def _disconnect(self) -> None:
        for session in list(sessions._sessions):
            sessions.abort(session)
        if self._is_ephemeral:
            database.execute("PRAGMA disable_checkpoint_on_shutdown")
        else:
            _checkpoint()
        database.connection().close()
        database._connect.cache_clear()
        database._attached.clear()
        _clear(MEMORIES)


def _once_let_go(attach: Callable[[], object]) -> None:
    """Attach a database; who still reads the one that had its file, such as a chore, lets go of it soon."""
    ends = time.monotonic() + END_SECONDS
    while True:
        try:
            attach()
        except duckdb.BinderException as error:
            if "already attached" not in str(error) or time.monotonic() > ends:
                raise
            time.sleep(LET_GO_SECONDS)
        else:
            return


def _checkpoint() -> None:
    """Write what the logs hold to the databases: a folder that was closed well opens without reading logs."""
    for project in database.projects():
        database.execute(f"CHECKPOINT {catalog.lake(project)}")
    database.execute(f"CHECKPOINT {catalog.EMULATOR}")


def _clear(memories: Iterable[Any]) -> None:
    for memory in memories:
        memory.clear()
