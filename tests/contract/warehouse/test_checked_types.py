"""Checks of every type of step that writes a table: what fails is not published, on a BigQuery with rows.

A step may die with its process at any of its calls. Here each type has its turn at some of them, and of each
type one way to publish fails and is warned; `make check-kills` lets each die at each, and fails and warns all
(`check_checked_types`).
"""

import itertools
import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from local_bigquery.settings import settings

from common.at_once import InThreads
from common.pipelines.tables import PLATFORM_TABLES
from common.quality.check_queries import CheckView
from common.runs import files
from common.runs.level_messages import LevelMessage
from common.runs.views import StepView
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
QUERY: dict[str, Any] = {"source_query": "SELECT id, name, d FROM src"}
COLUMNS = [
    {"name": "id", "type": "INT64"},
    {"name": "name", "type": "STRING"},
    {"name": "d", "type": "DATE"},
]
FILES: dict[str, Any] = {"format": "csv", "header_rows": 1}

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
    "copy": ("bq_etl.copy", {"source_tables": ["src"]}),
    "copy that appends": ("bq_etl.copy", {"source_tables": ["src"], "write_disposition": "WRITE_APPEND"}),
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
TABLES = {which: which.replace(" ", "_") for which in TYPES}
"""The tables that are written side by side, and their steps."""
Rows = list[tuple[int, str | None]]


@pytest.fixture
def runs(bootstrapped: Central, storage: "StorageServer") -> CheckedRuns:
    return a_tenant(bootstrapped, storage)


def a_tenant(central: Central, storage: "StorageServer") -> CheckedRuns:
    buckets = partial(buckets_of_platform, emulator_host=storage.url)
    runs = CheckedRuns(central=central, tenant_id=f"types_{next(_numbers)}", buckets=buckets)
    runs.central.client.create_dataset(runs.tenant_id)
    return runs


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


def step_of(runs: CheckedRuns, which: str, *checks: dict[str, Any], table: str = "t") -> dict[str, Any]:
    """Write a step of a type that writes a table, and is named like it."""
    ps_type, config = TYPES[which]
    if ps_type == "bq_etl.load":
        config = config | {"uris": f"gs://{runs.tenant_id.replace('_', '-')}/*.csv"}
    return {
        "id": table,
        "ps_type": ps_type,
        "config": config | {"target_table": table},
        "checks": list(checks),
    }


def document(*steps: dict[str, Any]) -> str:
    return json.dumps({"pipeline": {"name": "Work"}, "steps": steps})


def kept(runs: CheckedRuns, table: str = "t") -> Rows:
    return kept_in(runs, [table])[table]


def kept_in(runs: CheckedRuns, tables: Sequence[str]) -> dict[str, Rows]:
    """Return what is in some tables, in order."""
    found: dict[str, Rows] = {table: [] for table in tables}
    selects = (f"SELECT '{table}' AS which, id, name FROM {runs.tenant_id}.{table}" for table in tables)
    sql = f"{' UNION ALL '.join(selects)} ORDER BY id, name"
    for row in runs.central.client.query_and_wait(sql):
        found[row["which"]].append((row["id"], row["name"]))
    return found


def tables_of(runs: CheckedRuns) -> list[str]:
    return [table.table_id for table in runs.central.client.list_tables(runs.tenant_id)]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take files over at once from a run that does not go on."""
    monkeypatch.setattr(files, "PATIENCE", timedelta())


# Publishing


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What a run of one step of each type came to, by the step's table."""

    steps: dict[str, StepView]
    checks: dict[str, CheckView]
    rows: dict[str, Rows]
    """What is in the tables once the run has ended."""


OWN_WAYS = ["query", "merge", "history", "copy", "load"]
"""One of the ways in which each type of step publishes."""


@pytest.fixture(scope="module")
def published(bootstrapped: Central, storage: "StorageServer") -> dict[str, Published]:
    """Run one step of each type on rows that pass, on rows that fail, and on these with a warning."""
    return publish_all(a_tenant(bootstrapped, storage), OWN_WAYS)


def publish_all(runs: CheckedRuns, ways: Iterable[str]) -> dict[str, Published]:
    """Let steps publish rows that pass, keep back rows that fail, and publish these after all."""
    found: dict[str, Published] = {}
    runs.at_once = InThreads(max_threads=1)  # Steps beside each other make the local BigQuery work more.
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(files, "PATIENCE", timedelta())
        give(runs, (1, "a"))
        found["good"] = publish(runs, NOT_NULL, ways)
        give(runs, (1, None), (2, "b"))
        found["bad"] = publish(runs, NOT_NULL, ways)
        found["warned"] = publish(runs, WARNING, ways)
    all_candidates_expire_in_a_day(runs)
    return found


def publish(runs: CheckedRuns, check: dict[str, Any], types: Iterable[str]) -> Published:
    run_id = runs.run(document(*(step_of(runs, which, check, table=TABLES[which]) for which in types)), DAY)
    run = runs.views.read_run(runs.tenant_id, run_id, utc_now())
    assert run is not None
    return Published(
        steps={step.step_id: step for step in run.steps},
        checks={check.table: check for check in runs.all_results(run_id)},
        rows=kept_in(runs, [table for table in tables_of(runs) if table in TABLES.values()]),
    )


@pytest.mark.parametrize("which", OWN_WAYS)
def test_what_passes_is_published(published: dict[str, Published], which: str) -> None:
    is_published(published["good"], TABLES[which])


def is_published(good: Published, table: str) -> None:
    assert good.steps[table].status == "COMPLETED", good.steps[table].error_message
    assert (good.checks[table].status, good.rows[table]) == ("PASSED", [(1, "a")])


@pytest.mark.parametrize("which", OWN_WAYS)
def test_what_fails_is_not_published(published: dict[str, Published], which: str) -> None:
    is_kept_back(published["bad"], TABLES[which])


def is_kept_back(bad: Published, table: str) -> None:
    error = bad.steps[table].error_message or ""
    assert (bad.steps[table].status, "not_null_name: 1 of 2 rows" in error) == ("FAILED", True), error
    assert bad.rows[table] == [(1, "a")]
    assert bad.checks[table].status == "FAILED"


@pytest.mark.parametrize("which", OWN_WAYS)
def test_what_is_warned_of_is_published(published: dict[str, Published], which: str) -> None:
    is_published_with_a_warning(published["warned"], TABLES[which])


def is_published_with_a_warning(warned: Published, table: str) -> None:
    assert (warned.steps[table].status, warned.steps[table].error_message) == ("COMPLETED", None)
    assert warned.checks[table].status == "WARNED"
    assert (2, "b") in warned.rows[table]
    assert len(warned.rows[table]) == len(set(warned.rows[table]))


def all_candidates_expire_in_a_day(runs: CheckedRuns) -> None:
    tables = runs.central.client.list_tables(runs.tenant_id)
    candidates = [table for table in tables if table.table_id.startswith(f"{PLATFORM_TABLES}run-")]
    assert candidates
    for candidate in candidates:
        assert candidate.expires is not None, candidate.table_id
        assert timedelta(hours=23) < candidate.expires - utc_now() <= timedelta(days=1)


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
    all_candidates_expire_in_a_day(runs)


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
EVERY = 5
"""At one in how many calls a type dies; types take turns, so that each call is somebody's last."""


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


MORTALS = [
    ("query that appends", True),
    ("query that appends", False),
    ("append", True),
    ("load", True),
    ("copy that appends", True),
]
"""Types whose rows are added, and whether what they add passes."""


@pytest.mark.parametrize(("place", "which", "is_good"), [(i, *one) for i, one in enumerate(MORTALS)])
def test_a_process_may_die_at_a_call_and_rows_are_published_once(
    runs: CheckedRuns, place: int, which: str, is_good: bool
) -> None:
    die_at_calls(runs, which, POINTS[place % EVERY :: EVERY], is_good=is_good)


def die_at_calls(runs: CheckedRuns, which: str, points: Sequence[tuple[str, int]], *, is_good: bool) -> None:
    """Let run after run die before one of the calls, die after it, and come to its end."""
    for published, (call, number) in enumerate(points):
        give(runs, (published, "a" if is_good else None))
        message = runs.message(document(step_of(runs, which, NOT_NULL)), DAY)
        for before in (True, False):
            runs.acting_as = dying(runs.jobs, call, number, before=before)
            with suppress(Death):
                runs.deliver(message)
        runs.acting_as = None
        runs.deliver(message)
        status, error = runs.end(message.run.run_id)
        assert status == ("COMPLETED" if is_good else "FAILED"), (call, number, error)
        rows = kept(runs) if "t" in tables_of(runs) else []
        assert rows == ([(one, "a") for one in range(published + 1)] if is_good else []), (call, number)
        assert [one.name for one in runs.all_results(message.run.run_id)] == ["not_null_name"]
    all_candidates_expire_in_a_day(runs)


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
    first = runs.message(document(step_of(runs, "load", NOT_NULL)), DAY)
    runs_until_checked(runs, first)
    assert runs.end(runs.run(document(step_of(runs, "load", NOT_NULL)), DAY)) == ("COMPLETED", "")
    assert kept(runs) == [(1, "a")]
    runs.deliver(first)  # It comes again, late: another has its files by now.
    status, error = runs.end(first.run.run_id)
    assert (status, "another run has taken the files over" in error) == ("FAILED", True), error
    assert kept(runs) == [(1, "a")]


def test_files_of_a_run_that_goes_on_are_left_to_it(
    runs: CheckedRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(runs, (1, "a"))
    first = runs.message(document(step_of(runs, "load", NOT_NULL)), DAY)
    runs_until_checked(runs, first)
    second = runs.message(document(step_of(runs, "load", NOT_NULL)), DAY)
    slept: list[Callable[[], None]] = [lambda: _deliver(runs, first)]

    def sleep(_: float) -> None:
        if slept:
            slept.pop()()

    monkeypatch.setattr(runs, "sleep", sleep)
    runs.deliver(second)
    assert {runs.end(one.run.run_id)[0] for one in (first, second)} == {"COMPLETED"}
    assert kept(runs) == [(1, "a")]
