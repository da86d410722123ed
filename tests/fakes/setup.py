"""The central dataset and its backups in memory; `at` is called wherever a process can die."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from common.errors import Conflict
from common.setup.bootstrap import Refreshed, ViewChange
from common.setup.recreation import RowCounts
from common.setup.tables import Column, Shape, TableDefinition
from common.setup.views import ViewDefinition
from tests.fakes.jobs import nowhere

type Row = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class MemoryTable:
    """A table with its rows."""

    shape: Shape
    rows: list[Row] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class MemoryDataset:
    """A dataset: tables, views by name with the text they were made from, and who may read it."""

    tables: dict[str, MemoryTable] = field(default_factory=dict)
    views: dict[str, str] = field(default_factory=dict)
    readers: set[str] = field(default_factory=set)
    is_open_backup: bool = False


class MemoryWarehouse:
    """`CentralDataset`, `TenantViews`, `Backups` and `StreamTargets`.

    Streaming loses the rows of tables that are in `losing`, and knows none of those in `unknown`.
    """

    def __init__(self, at: Callable[[str], None] = nowhere) -> None:
        self.at = at
        self.datasets: dict[str, MemoryDataset] = {}
        self.outdated = 0
        self.holds: dict[str, datetime] = {}
        self.losing: set[str] = set()
        self.unknown: set[str] = set()
        self.probes: Counter[str] = Counter()

    @property
    def full_name(self) -> str:
        return "project.tenants"

    @property
    def central(self) -> MemoryDataset:
        return self.datasets["tenants"]

    def create(self) -> bool:
        self.at("before create")
        return self._create("tenants", set())

    def find_shape(self, table: str) -> Shape | None:
        found = self.central.tables.get(table)
        return found.shape if found else None

    def create_table(self, definition: TableDefinition) -> bool:
        self.at(f"before create {definition.name}")
        is_new = definition.name not in self.central.tables
        self.central.tables.setdefault(definition.name, MemoryTable(shape=definition.shape))
        return is_new

    def change_columns(self, table: str, columns: tuple[Column, ...]) -> None:
        self.at(f"before change {table}")
        old = self.central.tables[table].shape
        new = Shape(columns=columns, partition=old.partition, cluster=old.cluster)
        self.central.tables[table].shape = new

    def put_view(self, view: ViewDefinition, *, is_forced: bool = False) -> ViewChange:
        self.at(f"before view {view.name}")
        before = self.central.views.get(view.name)
        self.central.views[view.name] = view.fingerprint
        if before is None:
            return ViewChange.CREATED
        return ViewChange.UPDATED if is_forced or before != view.fingerprint else ViewChange.UNCHANGED

    def refresh(self, view: ViewDefinition) -> Refreshed:
        """`TenantViews`: as many are left as a test says."""
        self.at("before tenants' views")
        return Refreshed(left=self.outdated)

    def open_backup(self, backup: str) -> None:
        self.at("before open")
        if not self._create(backup, set(self.central.readers)):
            raise Conflict(backup)
        self.datasets[backup].is_open_backup = True
        self.at("after open")

    def find_open_backups(self) -> list[str]:
        self.at("find backups")
        return sorted((name for name, found in self.datasets.items() if found.is_open_backup), reverse=True)

    def close_backup(self, backup: str) -> None:
        self.at("before close")
        self.datasets[backup].is_open_backup = False
        self.at("after close")

    def tables_in(self, dataset: str = "") -> Collection[str]:
        found = self.datasets.get(dataset or "tenants")
        return list(found.tables) if found else []

    def views_in_central(self) -> Collection[str]:
        return list(self.central.views)

    def compare(self, table: str, backup: str) -> RowCounts:
        self.at(f"compare {table}")
        central, copied = self.central.tables[table], self.datasets[backup].tables[table]
        return RowCounts(central=len(central.rows), backup=len(copied.rows))

    def back_up(self, table: str, backup: str) -> None:
        self.at(f"before back up {table}")
        source = self.central.tables[table]
        self.datasets[backup].tables[table] = MemoryTable(shape=source.shape, rows=list(source.rows))
        self.at(f"after back up {table}")

    def drop_dataset(self) -> None:
        self.at("before drop")
        del self.datasets["tenants"]
        self.at("after drop")

    def recreate_dataset(self, backup: str) -> bool:
        self.at("before recreate")
        return self._create("tenants", set(self.datasets[backup].readers))

    def restore(self, definition: TableDefinition, backup: str) -> None:
        self.at(f"before restore {definition.name}")
        required = [column.name for column in definition.shape.columns if column.mode == "REQUIRED"]
        rows = self.datasets[backup].tables[definition.name].rows
        fitting = [row for row in rows if all(row.get(name) is not None for name in required)]
        self.central.tables.pop(definition.name, None)
        self.at(f"during restore {definition.name}")
        self.central.tables[definition.name] = MemoryTable(shape=definition.shape, rows=fitting)

    def restore_unknown(self, table: str, backup: str) -> None:
        self.at(f"before restore {table}")
        self.central.tables[table] = self.datasets[backup].tables[table]

    def hold(self, table: str, until: datetime) -> None:
        self.at(f"before hold {table}")
        self.holds[table] = until

    def release(self, table: str) -> None:
        self.at(f"before release {table}")
        del self.holds[table]

    def held(self, now: datetime) -> Mapping[str, datetime]:
        return {table: until for table, until in self.holds.items() if until > now}

    def stream_probe(self, definition: TableDefinition, probe_id: str, columns: Collection[str]) -> bool:
        assert set(columns) <= {column.name for column in definition.shape.columns}
        if definition.name in self.unknown:
            return False
        self.probes[probe_id] += definition.name not in self.losing
        return True

    def count_probes(self, definition: TableDefinition, probe_id: str) -> int:
        return self.probes[probe_id]

    def _create(self, name: str, readers: set[str]) -> bool:
        is_new = name not in self.datasets
        self.datasets.setdefault(name, MemoryDataset(readers=readers))
        return is_new
