"""Receipts: a job's rows and its end are one transaction, though two databases hold them.

`local_bigquery` commits a job's rows to DuckLake, and afterwards its end to a database of its own. A process
that dies between the two leaves a job that has done its work and does not know. So the job's name is
committed together with its rows, as the message of their snapshot: a job that did not see its end is done
where there is such a message, and has done nothing where there is none.

That holds for jobs that commit once: loads, copies, snapshots and clones, single statements of DML or that
make a table, queries with a destination, and scripts that are one transaction. Other DDL has no receipt, and
doubles nothing where it is repeated; nor has a script of several transactions, of which those that were
committed stay.
"""

import contextlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

import duckdb
from local_bigquery.engine import database
from local_bigquery.jobs import query, runner
from local_bigquery.models import Job, JobConfiguration
from sqlglot import exp

from local.bigquery import catalog
from local.bigquery.commits import ATTEMPTS, CONFLICT, is_a_lake, word_of
from local.bigquery.sql_files import sql
from local.bigquery.statements import trees_of

Counts = dict[str, int]
"""Rows by what was done with them, as in BigQuery's `dmlStats`."""

VERBS = {
    "INSERT": "insertedRowCount",
    "CREATE": "insertedRowCount",
    "UPDATE": "updatedRowCount",
    "DELETE": "deletedRowCount",
    "TRUNCATE": "deletedRowCount",
}
WRITE = re.compile(
    rf'\s*({"|".join(VERBS)})(?:\s+(?:INTO|FROM|OR|REPLACE|TABLE))*\s+("(?:[^"]|"")+")\.', re.IGNORECASE
)
DML = (exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.TruncateTable)

_job: ContextVar[str] = ContextVar("_job", default="")
_rows_written: dict[str, int] = {}
_execute: Callable[..., None] = runner._execute
_query: Callable[..., Any] = query.execute
_handlers: dict[str, Callable[..., Any]] = dict(runner.HANDLERS)


def install() -> None:
    """Let jobs write through cursors that leave receipts."""
    runner._execute = _execute_job
    query.execute = _execute_query
    runner.HANDLERS.update({kind: _handler(handler) for kind, handler in _handlers.items()})


def find(project: str, job_id: str) -> Counts | None:
    """Return how many rows a job has committed; None where it has committed nothing, or needs no receipt."""
    for lake in database.projects():
        for (counts,) in catalog.ask_lake(lake, "find_receipt", job=_name(project, job_id)):
            found: Counts = json.loads(counts)
            return found
    return None


def current(project: str, job_id: str) -> Counts | None:
    """Return what the job that runs in this thread has committed; None for any other job."""
    return find(project, job_id) if _job.get() == _name(project, job_id) else None


def take_rows_written(project: str, job_id: str) -> int | None:
    """Return, once, how many rows a job wrote; None where it wrote to no table."""
    return _rows_written.pop(_name(project, job_id), None)


def commits_once(configuration: JobConfiguration) -> bool:
    """Tell whether a job has its whole effect in one commit."""
    if configuration.load:
        return True
    if configuration.copy_:
        return True
    if not configuration.query:
        return False
    trees = trees_of(configuration.query.query or "")
    if len(trees) == 1:
        return isinstance(trees[0], (exp.Query, *DML)) or _makes_a_table(trees[0])
    return _is_one_transaction([tree for tree in trees if not isinstance(tree, exp.Declare)])


class ReceiptCursor:
    """A cursor of DuckDB that names its job on each commit to a table."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, job: str) -> None:
        self._cursor = cursor
        self._name = job
        self._is_in_transaction = False
        self._project = ""
        self._counts: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)

    def execute(self, statement: str, parameters: Any = None) -> Any:
        """Run a statement; one that writes by itself is committed together with the receipt."""
        written = WRITE.match(statement)
        if written and is_a_lake(written[2]):
            return self._write(statement, parameters, written)
        word = word_of(statement)
        if word == "COMMIT":
            self._leave_receipt()
        result = self._cursor.execute(statement, parameters)
        if word in ("BEGIN", "COMMIT", "ROLLBACK"):
            self._is_in_transaction = word == "BEGIN"
        return result

    def _write(self, statement: str, parameters: Any, written: re.Match[str]) -> "Rows":
        with contextlib.nullcontext() if self._is_in_transaction else self._transaction():
            rows = self._cursor.execute(statement, parameters).fetchall()
            self._project = written[2]
            self._counts[VERBS[written[1].upper()]] += rows[0][0] if rows else 0
        return Rows(rows)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._cursor.execute("BEGIN")
        try:
            yield
            self._leave_receipt()
            self._cursor.execute("COMMIT")
        except BaseException:
            self._counts.clear()
            with contextlib.suppress(duckdb.Error):  # A commit that failed has ended the transaction.
                self._cursor.execute("ROLLBACK")
            raise

    def _leave_receipt(self) -> None:
        if not self._project:
            return
        counts = json.dumps(self._counts)
        _rows_written[self._name] = self._counts["insertedRowCount"]
        self._cursor.execute(
            sql("receipt", project=self._project), {"job": self._name, "counts": counts}
        ).fetchall()
        self._project, self._counts = "", Counter()


class Rows:
    """What a statement answered, read before its transaction ended."""

    def __init__(self, rows: list[Any]) -> None:
        self._rows = rows

    def fetchone(self) -> Any:
        """Return the first row; None where there is none."""
        return self._rows[0] if self._rows else None

    def fetchall(self) -> list[Any]:
        """Return all rows."""
        return self._rows


def _execute_job(job: Job, *arguments: Any) -> None:
    if commits_once(job.configuration):
        _job.set(_name(job.jobReference.projectId, job.jobReference.jobId))
    _execute(job, *arguments)


def _execute_query(cursor: Any, *arguments: Any, **options: Any) -> Any:
    return _despite_conflicts(lambda: _query(_with_receipts(cursor), *arguments, **options))


def _handler(handler: Callable[..., Any]) -> Callable[..., Any]:
    return lambda cursor, *arguments: _despite_conflicts(lambda: handler(_with_receipts(cursor), *arguments))


def _despite_conflicts[T](work: Callable[[], T]) -> T:
    """Work once more where another commit was in the way: in BigQuery, writes wait for each other."""
    for _ in range(ATTEMPTS - 1):
        try:
            return work()
        except Exception as error:
            if CONFLICT not in str(error) or not _job.get() or find(*_job.get().rsplit(":", 1)) is not None:
                raise
    return work()


def _with_receipts(cursor: Any) -> Any:
    job = _job.get()
    return ReceiptCursor(cursor, job) if job and not isinstance(cursor, ReceiptCursor) else cursor


def _makes_a_table(tree: exp.Expr) -> bool:
    return isinstance(tree, exp.Create) and tree.kind == "TABLE"


def _is_one_transaction(trees: list[exp.Expr]) -> bool:
    if len(trees) < 2 or not (isinstance(trees[0], exp.Transaction) and isinstance(trees[-1], exp.Commit)):
        return False
    return all(isinstance(tree, (exp.Query, *DML)) for tree in trees[1:-1])


def _name(project: str, job_id: str) -> str:
    return f"{project}:{job_id}"
