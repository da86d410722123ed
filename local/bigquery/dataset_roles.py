"""What a caller may do with a dataset, read from the dataset's own access entries."""

from collections.abc import Iterable
from typing import Any

from local_bigquery.catalog import datasets
from local_bigquery.errors import BigQueryError

from local.bigquery import tables
from local.bigquery.callers import home_of
from local.bigquery.statements import Table

READ = frozenset(
    {
        "bigquery.datasets.get",
        "bigquery.models.get",
        "bigquery.models.list",
        "bigquery.routines.get",
        "bigquery.routines.list",
        "bigquery.tables.createSnapshot",
        "bigquery.tables.export",
        "bigquery.tables.get",
        "bigquery.tables.getData",
        "bigquery.tables.list",
    }
)
WRITE = READ | {
    "bigquery.models.delete",
    "bigquery.models.patch",
    "bigquery.routines.delete",
    "bigquery.routines.insert",
    "bigquery.routines.update",
    "bigquery.tables.create",
    "bigquery.tables.delete",
    "bigquery.tables.update",
    "bigquery.tables.updateData",
}
OWN = WRITE | {"bigquery.datasets.delete", "bigquery.datasets.update", "bigquery.tables.deleteSnapshot"}
ROLES = {
    "READER": READ,
    "WRITER": WRITE,
    "OWNER": OWN,
    "roles/bigquery.dataViewer": READ,
    "roles/bigquery.dataEditor": WRITE,
    "roles/bigquery.dataOwner": OWN,
}
WRITE_TENANTS = "convergenceWriteTenants"
CUSTOM_ROLES = {
    # Terraform makes these. With this one a credential's account fills tables, and can neither make, change
    # nor delete a table or a view.
    "convergenceFillTables": frozenset(
        {
            "bigquery.tables.export",
            "bigquery.tables.get",
            "bigquery.tables.getData",
            "bigquery.tables.list",
            "bigquery.tables.updateData",
        }
    ),
    # This one the accounts have that run tenants' SQL.
    WRITE_TENANTS: frozenset(
        {
            "bigquery.datasets.get",
            "bigquery.tables.create",
            "bigquery.tables.createSnapshot",
            "bigquery.tables.delete",
            "bigquery.tables.deleteSnapshot",
            "bigquery.tables.export",
            "bigquery.tables.get",
            "bigquery.tables.getData",
            "bigquery.tables.list",
            "bigquery.tables.update",
            "bigquery.tables.updateData",
        }
    ),
}
"""By the last part of their names, `projects/<project>/roles/<role>`."""
READ_TABLE = "bigquery.tables.getData"


def may(caller: str, permission: str, project: str, dataset: str) -> bool:
    """Tell whether the access entries of a dataset give a permission to the caller (an e-mail address)."""
    return any(
        permission in _permissions(entry.get("role", "")) | _of_executor(entry, caller, project)
        for entry in _entries(project, dataset)
        if _is_about(entry, caller)
    )


def _of_executor(entry: dict[str, Any], caller: str, project: str) -> frozenset[str]:
    """Return what the project's own accounts have beside the entry that makes them writers of a dataset.

    In the cloud it is a grant on the project, on the condition that the dataset is one of theirs.
    """
    is_executor = entry.get("role") == "WRITER" and home_of(caller) == project
    return CUSTOM_ROLES[WRITE_TENANTS] if is_executor else frozenset()


def _permissions(role: str) -> frozenset[str]:
    folder, _, name = role.rpartition("/roles/")
    return CUSTOM_ROLES.get(name, frozenset()) if folder else ROLES.get(role, frozenset())


def first_unreadable(caller: str, sources: Iterable[Table], view: Table | None = None) -> Table | None:
    """Return the first table that the caller may not read; None when all is well.

    A view is read with the caller's own access to what lies under it, except where it is authorized on a
    dataset. What is in no dataset is not judged: the job will not find it, or it is an array (`t.items`).
    """
    for table in sorted(source for source in sources if datasets.exists(*source[:2])):
        is_authorized = view is not None and _authorizes(table, view)
        if not is_authorized and not may(caller, READ_TABLE, *table[:2]):
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
