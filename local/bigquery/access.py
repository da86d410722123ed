"""Who may read and write what: BigQuery's dataset access, by the identity that each request carries."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

from local_bigquery.settings import settings

from local.bigquery.answers import Answer, error_answer
from local.bigquery.buckets import may_use
from local.bigquery.callers import email_of, home_of
from local.bigquery.calls import Call
from local.bigquery.dataset_roles import first_unreadable, may
from local.bigquery.failed_jobs import fail_job
from local.bigquery.proxy import Forward
from local.bigquery.statements import WRITES, Kind, Statement, Table, statements_of
from local.bigquery.switch import Switch
from local.bigquery.tables import exists, is_snapshot

METHODS = {
    "datasets.patch": "bigquery.datasets.update",
    "tables.insert": "bigquery.tables.create",
    "tables.patch": "bigquery.tables.update",
    "tabledata.list": "bigquery.tables.getData",
    "tabledata.insertAll": "bigquery.tables.updateData",
}
"""Methods whose permission is called otherwise than they are."""
CREATE, WRITE = "bigquery.tables.create", "bigquery.tables.updateData"
UPDATE = "bigquery.tables.update"
EXPORT = "bigquery.tables.export"
SNAPSHOT, DELETE_SNAPSHOT = "bigquery.tables.createSnapshot", "bigquery.tables.deleteSnapshot"
UNREADABLE = "The local BigQuery does not have this: it cannot read the job, nor tell what that touches."
RESULTS = "_results"
"""Where jobs without a destination leave their rows."""


class Access(Switch):
    """The wall between datasets; off unless switched on.

    A request without credentials is the platform's own, as are the `owners`: they may do everything. Any
    other caller is the e-mail address that `identities` has for its bearer token, or else the one that the
    token says, and has the roles that the access entries of each dataset give to it. Service accounts run
    jobs in the project that they are of, other callers in any.
    """

    def __init__(self, identities: Mapping[str, str], owners: frozenset[str], is_on: bool = False) -> None:
        super().__init__(is_on)
        self._identities = identities
        self._owners = owners

    async def handle(self, call: Call, forward: Forward) -> Answer:
        """Pass the call on when its caller may do it."""
        caller = self._caller(call)
        if not (self.is_on and caller):
            return await forward(call)
        denial = await asyncio.to_thread(_denial, caller, call)
        if not denial:
            return await forward(call)
        reason = "notImplemented" if denial == UNREADABLE else "accessDenied"
        return await (fail_job(call, reason, denial) if call.job_configuration else _refuse(denial, reason))

    def reset(self) -> None:
        """Keep nothing, so forget nothing."""

    def _caller(self, call: Call) -> str:
        """Return the caller's e-mail address; "" for an owner."""
        token = call.headers.get("authorization", "").removeprefix("Bearer ")
        caller = self._identities.get(token) or email_of(token)
        return "" if caller in self._owners else caller


async def _refuse(denial: str, reason: str) -> Answer:
    return error_answer(reason, denial)


def _denial(caller: str, call: Call) -> str:
    """Return why the caller may not do this, in BigQuery's words; "" when it may."""
    if call.method == "datasets.insert":
        return _no_permission("Project", call.project, "bigquery.datasets.create")
    if call.method.startswith("jobs.") and home_of(caller) not in ("", call.project):
        return _no_permission("Project", call.project, "bigquery.jobs.create")
    if call.method in ("jobs.insert", "jobs.query"):
        return _job_denial(caller, call) if call.job_configuration else UNREADABLE  # A multipart upload.
    project, dataset, table = call.table
    permission = METHODS.get(call.method) or f"bigquery.{call.method}"
    if call.method == "tables.delete" and is_snapshot(call.table):
        permission = DELETE_SNAPSHOT
    if dataset in ("", RESULTS) or may(caller, permission, project, dataset):
        return ""
    if table:
        return _no_permission("Table", f"{project}:{dataset}.{table}", permission)
    return _no_permission("Dataset", f"{project}:{dataset}", permission)


def _job_denial(caller: str, call: Call) -> str:
    for statement in statements_of(call):
        if denial := _statement_denial(caller, statement):
            return denial
    if uri := next(_unusable_files(caller, call.job_configuration), ""):
        return f"Access Denied: File {uri}: Access Denied"
    sources, destination = _job_tables(call.job_configuration)
    if table := first_unreadable(caller, sources):
        return _no_query(table)
    for (project, dataset, name), permission in _asked_beside(call.job_configuration):
        if not may(caller, permission, project, dataset):
            return _no_permission("Table", f"{project}:{dataset}.{name}", permission)
    return _destination_denial(caller, destination, call.job_configuration) if destination else ""


def _asked_beside(configuration: dict[str, Any]) -> Iterator[tuple[Table, str]]:
    """List what extracts and snapshots take beside reading: what expires is deleted."""
    sources, destination = _job_tables(configuration)
    copy = configuration.get("copy") or {}
    if configuration.get("extract"):
        yield from ((source, EXPORT) for source in sources)
    if copy.get("operationType") == "SNAPSHOT" and destination:
        yield from ((source, SNAPSHOT) for source in sources)
        if copy.get("destinationExpirationTime"):
            yield from ((table, DELETE_SNAPSHOT) for table in (*sources, destination))


def _destination_denial(caller: str, table: Table, configuration: dict[str, Any]) -> str:
    project, dataset, name = table
    if not exists(table):
        is_allowed = may(caller, CREATE, project, dataset)
        return "" if is_allowed else _no_permission("Dataset", f"{project}:{dataset}", CREATE)
    asked = (WRITE, UPDATE) if _makes_columns_anew(configuration) else (WRITE,)
    missing = (permission for permission in asked if not may(caller, permission, project, dataset))
    return next((_no_permission("Table", f"{project}:{dataset}.{name}", one) for one in missing), "")


def _makes_columns_anew(configuration: dict[str, Any]) -> bool:
    """Tell whether a job overwrites more of a table than its rows, be the columns the same or not."""
    jobs = (configuration.get(kind) or {} for kind in ("query", "load", "copy"))
    return any(job.get("writeDisposition") == "WRITE_TRUNCATE" for job in jobs)


def _statement_denial(caller: str, statement: Statement) -> str:
    if statement.kind is Kind.UNREADABLE:
        return UNREADABLE
    if table := first_unreadable(caller, statement.sources):
        return _no_query(table)
    target = statement.target
    permission = CREATE if statement.kind is Kind.DDL else WRITE
    if statement.kind in WRITES and target and not may(caller, permission, *target[:2]):
        project, dataset, name = target
        return _no_permission("Table", f"{project}:{dataset}.{name}", permission)
    return ""


def _job_tables(configuration: dict[str, Any]) -> tuple[set[Table], Table | None]:
    """Return what a job reads and writes beside its SQL."""
    sources: set[Table] = set()
    destination = None
    for kind in ("query", "load", "copy", "extract"):
        job = configuration.get(kind) or {}
        named = [*job.get("sourceTables", ()), *([job["sourceTable"]] if "sourceTable" in job else ())]
        sources |= {_table(reference) for reference in named}
        if "destinationTable" in job:
            destination = _table(job["destinationTable"])
    return sources, destination


def _unusable_files(caller: str, configuration: dict[str, Any]) -> Iterator[str]:
    """Name the files that a load or an extract may not touch."""
    load, extract = configuration.get("load") or {}, configuration.get("extract") or {}
    root = settings.gcs_local_root
    for uri in (*load.get("sourceUris", ()), *extract.get("destinationUris", ())):
        bucket = uri.removeprefix("gs://").partition("/")[0]
        if root is not None and not may_use(root, bucket, caller):
            yield uri


def _table(reference: dict[str, str]) -> Table:
    return reference["projectId"], reference["datasetId"], reference["tableId"]


def _no_query(table: Table) -> str:
    name = f"{table[0]}:{table[1]}.{table[2]}"
    return (
        f"Access Denied: Table {name}: User does not have permission to query table {name}, "
        "or perhaps it does not exist."
    )


def _no_permission(kind: str, name: str, permission: str) -> str:
    if kind == "Project":
        return f"Access Denied: Project {name}: User does not have {permission} permission in project {name}."
    return (
        f"Access Denied: {kind} {name}: Permission {permission} denied on {kind.lower()} {name} "
        "(or it may not exist)."
    )
