"""Recreation of the central tables: before a table is touched its rows are in a backup, and they stay there.

A backup dataset is open (a label says so) from its creation until its rows are where they belong. Whatever
cuts a recreation off, the next bootstrap finds the open backup and brings back each table that is missing.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from common.errors import Conflict
from common.setup.tables import TableDefinition, central_tables
from common.setup.views import ViewDefinition, central_views
from common.times import Clock

_TRIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class BackedUp:
    """A table that was copied: where to, how many rows it had, how many are in the new table."""

    table: str
    backup: str
    rows: int
    rows_restored: int

    @property
    def rows_left_behind(self) -> int:
        """Rows that do not fit the new table; they are in the backup."""
        return self.rows - self.rows_restored


@dataclass(frozen=True, slots=True, kw_only=True)
class RowCounts:
    """Rows of a table in the central dataset and in a backup."""

    central: int
    backup: int


class Backups(Protocol):
    """Backup datasets beside the central dataset, and the rows that go there and back."""

    def open_backup(self, backup: str) -> None:
        """Create a backup dataset with the access entries of the central one; Conflict where it exists."""

    def find_open_backups(self) -> Sequence[str]:
        """List the backups whose rows may not all be back, the newest first."""

    def close_backup(self, backup: str) -> None:
        """Say that all rows are where they belong; the dataset and its tables stay."""

    def tables_in(self, dataset: str = "") -> Collection[str]:
        """List the tables of a backup, or of the central dataset; nothing where there is no such dataset."""

    def views_in_central(self) -> Collection[str]:
        """List the views of the central dataset."""

    def compare(self, table: str, backup: str) -> RowCounts:
        """Count the rows of a table on both sides, those in the streaming buffer too."""

    def back_up(self, table: str, backup: str) -> None:
        """Copy a table with all its rows, fresh ones from the streaming buffer too, in one statement."""

    def drop_dataset(self) -> None:
        """Drop the central dataset with all that is in it."""

    def recreate_dataset(self, backup: str) -> bool:
        """Create the central dataset with the access entries of the backup; False where it exists."""

    def restore(self, definition: TableDefinition, backup: str) -> None:
        """Put a table in place as defined, with the backup's rows that fit; one that is there goes."""

    def restore_unknown(self, table: str, backup: str) -> None:
        """Bring back a table that no definition knows, as it is in the backup."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recreation:
    """Recreates central tables without losing a row."""

    backups: Backups
    dataset: str
    clock: Clock
    definitions: tuple[TableDefinition, ...] = field(default_factory=central_tables)
    views: tuple[ViewDefinition, ...] = field(default_factory=central_views)

    def resume(self) -> list[BackedUp]:
        """Finish what earlier recreations left open; the newest backup knows a table best."""
        return [
            table for backup in self.backups.find_open_backups() for table in self._restore_missing(backup)
        ]

    def recreate_tables(self) -> list[BackedUp]:
        """Copy each central table, then replace it by one that is as defined."""
        backup = self._open()
        existing = self.backups.tables_in()
        recreated = [
            self._recreate(definition, backup)
            for definition in self.definitions
            if definition.name in existing
        ]
        self.backups.close_backup(backup)
        return recreated

    def recreate_dataset(self) -> list[BackedUp]:
        """Copy all tables, drop the dataset, and create it anew with its access entries and tables."""
        self._refuse_unknown_views()
        backup = self._open()
        tables = sorted(self.backups.tables_in())
        for table in tables:
            self._back_up(table, backup)
        for table in tables:
            self._refuse_late_rows(table, backup)
        self.backups.drop_dataset()
        return self._restore_missing(backup)

    def _refuse_unknown_views(self) -> None:
        unknown = set(self.backups.views_in_central()) - {view.name for view in self.views}
        if unknown:
            raise Conflict(f"views that no file describes would be lost: {', '.join(sorted(unknown))}")

    def _open(self) -> str:
        backup = f"{self.dataset}_backup_{self.clock():%Y%m%d_%H%M%S}"
        self.backups.open_backup(backup)
        return backup

    def _recreate(self, definition: TableDefinition, backup: str) -> BackedUp:
        self._back_up(definition.name, backup)
        self.backups.restore(definition, backup)
        return self._recorded(definition.name, backup)

    def _back_up(self, table: str, backup: str) -> None:
        for _ in range(_TRIES):
            self.backups.back_up(table, backup)
            if self._is_complete(table, backup):
                return
        self._refuse_late_rows(table, backup)

    def _refuse_late_rows(self, table: str, backup: str) -> None:
        if not self._is_complete(table, backup):
            # No table is missing yet: there is nothing to bring back.
            self.backups.close_backup(backup)
            raise Conflict(f"rows keep arriving in {table}: pause schedules and topics, then repeat")

    def _is_complete(self, table: str, backup: str) -> bool:
        rows = self.backups.compare(table, backup)
        return rows.central == rows.backup

    def _restore_missing(self, backup: str) -> list[BackedUp]:
        self.backups.recreate_dataset(backup)
        existing = self.backups.tables_in()
        missing = [table for table in sorted(self.backups.tables_in(backup)) if table not in existing]
        for table in missing:
            self._restore(table, backup)
        self.backups.close_backup(backup)
        return [self._recorded(table, backup) for table in missing]

    def _restore(self, table: str, backup: str) -> None:
        definition = next((known for known in self.definitions if known.name == table), None)
        if definition:
            self.backups.restore(definition, backup)
        else:
            self.backups.restore_unknown(table, backup)

    def _recorded(self, table: str, backup: str) -> BackedUp:
        rows = self.backups.compare(table, backup)
        return BackedUp(table=table, backup=f"{backup}.{table}", rows=rows.backup, rows_restored=rows.central)
