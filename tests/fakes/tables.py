"""Tables of tenants' datasets, in memory, and who wrote them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from common.errors import NoSuchResource, QueryRefused
from common.tenants.own_tables import LastWrite, OwnTable
from tests.fakes.clock import START


@dataclass(slots=True)
class MemoryTables:
    """`TableStore` and `Writes`; what is not `hidden` is in a dataset of the tenant's name."""

    tables: dict[tuple[str, str], OwnTable] = field(default_factory=dict)
    rows: dict[tuple[str, str], list[dict[str, Any]]] = field(default_factory=dict)
    writes: dict[tuple[str, str], LastWrite] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    """Datasets that the shared account may not look into."""
    asked: list[int] = field(default_factory=list)
    """How many rows were asked for, each time."""

    def put(self, tenant_id: str, name: str, held: Sequence[dict[str, Any]] = (), **more: Any) -> None:
        """Make a table with rows."""
        usual: dict[str, Any] = {
            "name": name,
            "kind": "TABLE",
            "rows": len(held),
            "bytes": 10 * len(held),
            "columns": (),
            "created_at": START,
            "changed_at": START,
        }
        self.tables[tenant_id, name] = OwnTable(**usual | more)
        self.rows[tenant_id, name] = list(held)

    def names(self, tenant_id: str) -> Sequence[str]:
        self._look_into(tenant_id)
        return [name for owner, name in self.tables if owner == tenant_id]

    def describe(self, tenant_id: str, names: Sequence[str]) -> Sequence[OwnTable]:
        self._look_into(tenant_id)
        return [self.tables[tenant_id, name] for name in names if (tenant_id, name) in self.tables]

    def first_rows(self, tenant_id: str, name: str, most: int) -> Sequence[Mapping[str, Any]]:
        if (tenant_id, name) not in self.tables:
            raise NoSuchResource(f"Not found: Table p:{tenant_id}.{name}", "notFound")
        self.asked.append(most)
        return self.rows[tenant_id, name][:most]

    def delete(self, tenant_id: str, name: str) -> None:
        self.tables.pop((tenant_id, name), None)

    def last_writes(self, tenant_id: str, tables: Sequence[str], since: datetime) -> Mapping[str, LastWrite]:
        known = {name: self.writes.get((tenant_id, name)) for name in tables}
        return {name: write for name, write in known.items() if write and write.written_at >= since}

    def _look_into(self, tenant_id: str) -> None:
        if tenant_id in self.hidden:
            raise QueryRefused(f"Access Denied: Dataset p:{tenant_id}", "accessDenied")
