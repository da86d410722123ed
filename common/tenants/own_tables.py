"""A tenant's own tables: listed, looked into, deleted; in its own dataset, and nowhere else.

It is done as the account that tenants share, which sees no central table. A tenant with an account of its own
is refused: nothing that strangers can call acts as such an account.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from common.errors import Conflict, Forbidden, NotFound, QueryRefused
from common.pipelines.candidates import is_candidate
from common.pipelines.names import is_table_name
from common.pipelines.tables import PLATFORM_TABLES
from common.setup.views import TENANT_VIEW
from common.times import Clock

MAX_ROWS = 1000
MAX_ANSWER_BYTES = 4 * 1024 * 1024
"""About how many bytes of rows one answer holds: an instance answers many at once."""
MEMORY_OF_WRITES = timedelta(days=400)
ACCESS_DENIED = "accessDenied"
HAVING_ROWS = frozenset({"TABLE", "SNAPSHOT"})
"""Kinds of tables that hold rows themselves: those can be listed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column; `fields` are those of a STRUCT."""

    name: str
    type: str
    mode: str
    description: str | None = None
    fields: tuple["Column", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnTable:
    """A table or view as BigQuery describes it; `rows` and `bytes` are None where it holds none itself."""

    name: str
    kind: str
    rows: int | None
    bytes: int | None
    columns: tuple[Column, ...]
    created_at: datetime
    changed_at: datetime
    expires_at: datetime | None = None

    @property
    def is_platforms(self) -> bool:
        """Tell whether the platform keeps it, and not the tenant."""
        return is_platforms(self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class LastWrite:
    """The step that wrote a table last, and the run that it was a part of."""

    config_id: str
    step_id: str
    run_id: str
    written_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenTable:
    """A table, and who wrote it last, None where no step is known that did."""

    table: OwnTable
    last_write: LastWrite | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenRows:
    """The first rows of a table, in the form that JSON has for their types, and whether they are all."""

    table: OwnTable
    rows: Sequence[Mapping[str, Any]]
    is_complete: bool


class TableStore(Protocol):
    """The tables of tenants' datasets; QueryRefused, `accessDenied`, where a dataset is not to be seen."""

    def names(self, tenant_id: str) -> Sequence[str]:
        """List the names of all tables and views; none where the dataset is gone."""

    def describe(self, tenant_id: str, names: Sequence[str]) -> Sequence[OwnTable]:
        """Describe tables, without those that are not there."""

    def first_rows(self, tenant_id: str, name: str, most: int) -> Sequence[Mapping[str, Any]]:
        """Return rows by listing, which bills nothing; NoSuchResource where the table is gone."""

    def delete(self, tenant_id: str, name: str) -> None:
        """Delete a table or view; nothing happens where it is gone."""


class Writes(Protocol):
    """Where it is known which step wrote what."""

    def last_writes(self, tenant_id: str, tables: Sequence[str], since: datetime) -> Mapping[str, LastWrite]:
        """Return the last write of each table, by its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnTables:
    """What a tenant does with its tables: not there are other tenants', and rows that await their checks."""

    store: TableStore
    writes: Writes
    clock: Clock

    def list(self, tenant_id: str, after: str, most: int) -> tuple[Sequence[SeenTable], str]:
        """List tables by name, those that come after one; and where the next page begins, "" at the end."""
        with _as_the_shared_account():
            there = self.store.names(tenant_id)
            names = sorted(name for name in there if name > after and not is_candidate(name))
            page = names[:most]
            found = self.store.describe(tenant_id, page)
        since = self.clock() - MEMORY_OF_WRITES
        writes = self.writes.last_writes(tenant_id, page, since) if page else {}
        seen = [SeenTable(table=table, last_write=writes.get(table.name)) for table in found]
        return seen, page[-1] if len(names) > most else ""

    def rows(self, tenant_id: str, name: str, most: int) -> SeenRows:
        """Return a table's first rows, fewer where they are long; Conflict for what holds none itself."""
        table = self._find(tenant_id, name)
        if table.kind not in HAVING_ROWS:
            raise Conflict(
                f"{name} is a {table.kind.replace('_', ' ')}: its rows come of a query, which bills. "
                "Have a step write them to a table, and look at that one"
            )
        total = table.rows or 0
        mean = (table.bytes or 0) // total if total else 0
        asked = min(most, MAX_ROWS, max(1, MAX_ANSWER_BYTES // mean) if mean else MAX_ROWS)
        rows = self.store.first_rows(tenant_id, name, asked)
        return SeenRows(table=table, rows=rows, is_complete=len(rows) < asked or len(rows) >= total > 0)

    def delete(self, tenant_id: str, name: str) -> None:
        """Delete a table or view; Forbidden for the platform's own."""
        table = self._find(tenant_id, name)
        if table.is_platforms:
            raise Forbidden(f"{name} is kept by the platform: it is not yours to delete")
        self.store.delete(tenant_id, name)

    def _find(self, tenant_id: str, name: str) -> OwnTable:
        with _as_the_shared_account():
            can_be = is_table_name(name) and not is_candidate(name)
            found = self.store.describe(tenant_id, [name]) if can_be else ()
        if not found:
            raise NotFound("there is no table of this name in your dataset")
        return found[0]


@contextmanager
def _as_the_shared_account() -> Iterator[None]:
    """Say why nothing of a dataset is seen that the account which tenants share may not look into."""
    try:
        yield
    except QueryRefused as refused:
        if refused.reason != ACCESS_DENIED:
            raise
        raise Forbidden(
            "your SQL runs under an account of its own, as which this API does not act: "
            "look at your tables in BigQuery"
        ) from refused


def is_platforms(name: str) -> bool:
    """Tell whether a name in a tenant's dataset is one of the platform's."""
    return name == TENANT_VIEW or name.startswith(PLATFORM_TABLES)
