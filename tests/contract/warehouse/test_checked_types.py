"""Checks of every type of step that writes a table: what fails is not published, on a BigQuery with rows."""

import itertools
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from local_bigquery.settings import settings

from common.runs import files
from common.runs.level_messages import LevelMessage
from common.times import utc_now
from common.warehouse.bigquery import Central
from common.warehouse.buckets import buckets_of_platform
from common.warehouse.jobs import ExecutorJobs
from tests.contract.warehouse.checked_runs import CheckedRuns

if TYPE_CHECKING:
    from local.storage import StorageServer

_numbers = itertools.count()
DAY = "2026-01-31"
NOT_NULL: dict[str, Any] = {"type": "not_null", "column": "name"}
WARNING = NOT_NULL | {"severity": "warn"}
KEYED: dict[str, Any] = {"unique_key": ["id"]}
BY_DAY: dict[str, Any] = {"partition": {"field": "d"}}
QUERY: dict[str, Any] = {"source_query": "SELECT id, name, d FROM src", "target_table": "t"}
COLUMNS = [
    {"name": "id", "type": "INT64"},
    {"name": "name", "type": "STRING"},
    {"name": "d", "type": "DATE"},
]
FILES: dict[str, Any] = {"format": "csv", "target_table": "t", "header_rows": 1}

TYPES: dict[str, tuple[str, dict[str, Any]]] = {
    "query": ("bq_etl.query", QUERY),
    "query that appends": ("bq_etl.query", QUERY | {"write_disposition": "WRITE_APPEND"}),
    "query of one partition": (
        "bq_etl.query",
        QUERY | {"partitioning": {"field": "d"}, "partition": "${date}"},
    ),
    "append": ("bq_etl.incremental", QUERY | {"strategy": "append"}),
    "merge": ("bq_etl.incremental", QUERY | {"strategy": "merge"} | KEYED),
    "merge by window": (
        "bq_etl.incremental",
        QUERY | {"strategy": "merge", "lookback": 0} | KEYED | BY_DAY,
    ),
    "delete_insert": ("bq_etl.incremental", QUERY | {"strategy": "delete_insert"} | KEYED),
    "delete_insert by window": (
        "bq_etl.incremental",
        QUERY | {"strategy": "delete_insert", "lookback": 0} | KEYED | BY_DAY,
    ),
    "partition_overwrite": ("bq_etl.incremental", QUERY | {"strategy": "partition_overwrite"} | BY_DAY),
    "history": ("bq_etl.scd2", QUERY | KEYED),
    "copy": ("bq_etl.copy", {"source_tables": ["src"], "target_table": "t"}),
    "copy that appends": (
        "bq_etl.copy",
        {"source_tables": ["src"], "target_table": "t", "write_disposition": "WRITE_APPEND"},
    ),
    "load": ("bq_etl.load", FILES | {"schema": COLUMNS}),
    "load of all files": ("bq_etl.load", FILES | {"schema": COLUMNS, "mode": "all"}),
    "load of one partition": (
        "bq_etl.load",
        FILES
        | {
            "schema": COLUMNS,
            "mode": "replace_partition",
            "partition": "${date}",
            "partitioning": {"field": "d"},
        },
    ),
    "load without columns": ("bq_etl.load", FILES),
    "load of all files without columns": ("bq_etl.load", FILES | {"mode": "all"}),
}


@pytest.fixture
def runs(bootstrapped: Central, storage: "StorageServer") -> CheckedRuns:
    tenant_id = f"types_{next(_numbers)}"
    buckets = partial(buckets_of_platform, emulator_host=storage.url)
    made = CheckedRuns(central=bootstrapped, tenant_id=tenant_id, buckets=buckets)
    made.central.client.create_dataset(tenant_id)
    return made


def give(runs: CheckedRuns, *rows: tuple[int, str | None]) -> None:
    """Have the source hold these rows, and a file of them come in."""
    values = (
        f"SELECT {number} AS id, {json.dumps(name) if name else 'CAST(NULL AS STRING)'} AS name, "
        f"DATE '{DAY}' AS d"
        for number, name in rows
    )
    sql = f"CREATE OR REPLACE TABLE {runs.tenant_id}.src AS {' UNION ALL '.join(values)}"
    list(runs.central.client.query_and_wait(sql))
    assert settings.gcs_local_root is not None
    folder = Path(settings.gcs_local_root) / runs.tenant_id.replace("_", "-")
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["id,name,d", *(f"{number},{name or ''},{DAY}" for number, name in rows)]
    (folder / "rows.csv").write_text("\n".join(lines) + "\n")


def document(runs: CheckedRuns, which: str, *checks: dict[str, Any], **more: Any) -> str:
    ps_type, config = TYPES[which]
    if ps_type == "bq_etl.load":
        config = config | {"uris": f"gs://{runs.tenant_id.replace('_', '-')}/*.csv"}
    step = {"id": "work", "ps_type": ps_type, "config": config, "checks": list(checks), **more}
    return json.dumps({"pipeline": {"name": "Work"}, "steps": [step]})


def kept(runs: CheckedRuns, table: str = "t") -> list[tuple[int, str | None]]:
    sql = f"SELECT id, name FROM {runs.tenant_id}.{table} ORDER BY id, name"
    return [(row["id"], row["name"]) for row in runs.central.client.query_and_wait(sql)]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take files over at once from a run that does not go on."""
    monkeypatch.setattr(files, "PATIENCE", timedelta())


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("which", TYPES)
def test_what_fails_is_not_published_and_what_passes_is(runs: CheckedRuns, which: str) -> None:
    give(runs, (1, "a"))
    good = runs.run(document(runs, which, NOT_NULL), DAY)
    status, error = runs.end(good)
    assert status == "COMPLETED", error
    assert kept(runs) == [(1, "a")]
    give(runs, (1, None), (2, "b"))
    bad = runs.run(document(runs, which, NOT_NULL), DAY)
    status, error = runs.end(bad)
    assert (status, "not_null_name: 1 of 2 rows" in error) == ("FAILED", True), error
    assert kept(runs) == [(1, "a")]
    assert runs.checks(bad)["not_null_name"].status == "FAILED"
    warned = runs.run(document(runs, which, WARNING), DAY)
    assert runs.end(warned) == ("COMPLETED", "")
    assert runs.checks(warned)["not_null_name"].status == "WARNED"
    assert (2, "b") in kept(runs)
    assert len(kept(runs)) == len(set(kept(runs)))
    _all_candidates_expire(runs)


def _all_candidates_expire(runs: CheckedRuns) -> None:
    names = [table.table_id for table in runs.central.client.list_tables(runs.tenant_id)]
    candidates = [name for name in names if name.endswith("_work")]
    assert candidates
    for name in candidates:
        expires = runs.central.client.get_table(f"{runs.tenant_id}.{name}").expires
        assert expires is not None
        assert expires <= utc_now() + timedelta(days=1)


def test_a_days_snapshot_is_kept_once_its_rows_have_passed(runs: CheckedRuns) -> None:
    give(runs, (1, None))
    config = {"source_table": "src", "target_table": "src_", "retention_days": 30}
    step = {"id": "work", "ps_type": "bq_etl.snapshot", "config": config, "checks": [NOT_NULL]}
    text = json.dumps({"pipeline": {"name": "Kept"}, "steps": [step]})
    assert runs.end(runs.run(text, DAY))[0] == "FAILED"
    give(runs, (1, "a"))
    for _ in range(2):  # The day has one: another run leaves it as it is.
        assert runs.end(runs.run(text, DAY)) == ("COMPLETED", "")
        give(runs, (2, "b"))
    assert kept(runs, "src_20260131") == [(1, "a")]
    table = runs.central.client.get_table(f"{runs.tenant_id}.src_20260131")
    assert table.table_type == "SNAPSHOT"
    assert table.expires is not None
    assert table.expires > utc_now() + timedelta(days=2)
    _all_candidates_expire(runs)


# Dying


class Death(Exception):
    """The end of a process."""


POINTS = [
    ("dry_run", 0),
    ("prepare", 0),
    ("submit", 0),
    ("submit", 1),
    ("submit", 2),
    ("find", 0),
    ("read_counts", 0),
]
"""Calls of a step with checks, and which one of that name."""


def dying(jobs: ExecutorJobs, call: str, number: int, *, before: bool) -> ExecutorJobs:
    """Make the executor's jobs, of which one call, counted from the first, is the process's last."""
    found, calls = getattr(ExecutorJobs, call), itertools.count()

    def last(self: ExecutorJobs, *given: Any) -> Any:
        is_last = next(calls) == number
        if is_last and before:
            raise Death
        answer = found(self, *given)
        if is_last:
            raise Death
        return answer

    made = type("Dying", (ExecutorJobs,), {"__slots__": (), call: last})
    result: ExecutorJobs = made(
        client=jobs.client, location=jobs.location, project=jobs.project, buckets=jobs.buckets
    )
    return result


@pytest.mark.parametrize(
    ("which", "is_good"),
    [
        ("query that appends", True),
        ("query that appends", False),
        ("append", True),
        ("load", True),
        ("copy that appends", True),
    ],
)
def test_a_process_may_die_at_any_call_and_rows_are_published_once(
    runs: CheckedRuns, which: str, is_good: bool
) -> None:
    for published, (call, number) in enumerate(POINTS):
        give(runs, (published, "a" if is_good else None))
        message = runs.message(document(runs, which, NOT_NULL), DAY)
        for before in (True, False):
            runs.acting_as = dying(runs.jobs, call, number, before=before)
            with suppress(Death):
                runs.deliver(message)
        runs.acting_as = None
        runs.deliver(message)
        status, error = runs.end(message.run.run_id)
        assert status == ("COMPLETED" if is_good else "FAILED"), (call, number, error)
        assert _rows_of_t(runs) == ([(one, "a") for one in range(published + 1)] if is_good else [])
        assert [one.name for one in runs.all_results(message.run.run_id)] == ["not_null_name"]
    _all_candidates_expire(runs)


def _rows_of_t(runs: CheckedRuns) -> list[tuple[int, str | None]]:
    names = {table.table_id for table in runs.central.client.list_tables(runs.tenant_id)}
    return kept(runs) if "t" in names else []


# Files


def _deliver(runs: CheckedRuns, message: LevelMessage) -> None:
    runs.deliver(message)


def runs_until_checked(runs: CheckedRuns, message: LevelMessage) -> None:
    """Carry a run out until its rows are checked, and have its process die there."""
    runs.acting_as = dying(runs.jobs, "read_counts", 0, before=False)
    with suppress(Death):
        runs.deliver(message)
    runs.acting_as = None


@pytest.mark.usefixtures("impatient")
def test_files_whose_run_died_before_it_published_are_loaded_by_the_next_and_once(runs: CheckedRuns) -> None:
    give(runs, (1, "a"))
    first = runs.message(document(runs, "load", NOT_NULL), DAY)
    runs_until_checked(runs, first)
    assert runs.end(runs.run(document(runs, "load", NOT_NULL), DAY)) == ("COMPLETED", "")
    assert kept(runs) == [(1, "a")]
    runs.deliver(first)  # It comes again, late: another has its files by now.
    status, error = runs.end(first.run.run_id)
    assert (status, "another run has taken the files over" in error) == ("FAILED", True), error
    assert kept(runs) == [(1, "a")]


def test_files_of_a_run_that_goes_on_are_left_to_it(
    runs: CheckedRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(runs, (1, "a"))
    first = runs.message(document(runs, "load", NOT_NULL), DAY)
    runs_until_checked(runs, first)
    second = runs.message(document(runs, "load", NOT_NULL), DAY)
    slept: list[Callable[[], None]] = [lambda: _deliver(runs, first)]

    def sleep(_: float) -> None:
        if slept:
            slept.pop()()

    monkeypatch.setattr(runs, "sleep", sleep)
    runs.deliver(second)
    assert {runs.end(one.run.run_id)[0] for one in (first, second)} == {"COMPLETED"}
    assert kept(runs) == [(1, "a")]
