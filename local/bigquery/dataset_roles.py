"""What a caller may do with a dataset, read from the dataset's own access entries."""

from collections.abc import Iterable
from enum import IntEnum
from typing import Any

from local_bigquery.catalog import datasets
from local_bigquery.errors import BigQueryError

from local.bigquery import tables
from local.bigquery.statements import Table


class Role(IntEnum):
    """What a caller may do; each role includes the lower ones."""

    NONE = 0
    READER = 1
    WRITER = 2
    OWNER = 3


ROLES = {
    "READER": Role.READER,
    "WRITER": Role.WRITER,
    "OWNER": Role.OWNER,
    "roles/bigquery.dataViewer": Role.READER,
    "roles/bigquery.dataEditor": Role.WRITER,
    "roles/bigquery.dataOwner": Role.OWNER,
}


def role_of(caller: str, project: str, dataset: str) -> Role:
    """Return what the access entries of a dataset give to the caller (an e-mail address)."""
    roles = [
        ROLES.get(entry.get("role", ""), Role.NONE)
        for entry in _entries(project, dataset)
        if _is_about(entry, caller)
    ]
    return max(roles, default=Role.NONE)


def first_unreadable(caller: str, sources: Iterable[Table], view: Table | None = None) -> Table | None:
    """Return the first table that the caller may not read; None when all is well.

    A view is read with the caller's own access to what lies under it, except where it is authorized on a
    dataset. What is in no dataset is not judged: the job will not find it, or it is an array (`t.items`).
    """
    for table in sorted(source for source in sources if datasets.exists(*source[:2])):
        is_authorized = view is not None and _authorizes(table, view)
        if not is_authorized and role_of(caller, *table[:2]) < Role.READER:
            return table
        if unreadable := first_unreadable(caller, tables.under_view(table), table):
            return unreadable
    return None


def _authorizes(table: Table, view: Table) -> bool:
    return any(_view(entry) == view for entry in _entries(*table[:2]))


def _view(entry: dict[str, Any]) -> Table | None:
    view = entry.get("view")
    return (view["projectId"], view["datasetId"], view["tableId"]) if view else None


def _is_about(entry: dict[str, Any], caller: str) -> bool:
    if entry.get("specialGroup") == "allAuthenticatedUsers" or entry.get("iamMember") == "allUsers":
        return True
    member = entry.get("userByEmail") or entry.get("iamMember", "").partition(":")[2]
    return bool(member) and member == caller


def _entries(project: str, dataset: str) -> list[dict[str, Any]]:
    try:
        resource: dict[str, Any] = datasets.get(project, dataset).dump()
    except BigQueryError:  # No such dataset: nobody has access to it.
        return []
    entries: list[dict[str, Any]] = resource.get("access", [])
    return entries
