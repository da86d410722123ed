"""Backups of the central tables (`common.setup.recreation.Backups`)."""

from collections.abc import Collection
from dataclasses import dataclass

from google.cloud import bigquery

from common.errors import AlreadyExists, Conflict, NoSuchResource
from common.setup.recreation import RowCounts
from common.setup.tables import Shape, TableDefinition
from common.times import Clock, utc_now
from common.warehouse import definitions
from common.warehouse.datasets import Datasets
from common.warehouse.jobs import RETRY, TIMEOUT_SECONDS
from common.warehouse.queries import Central
from common.warehouse.restoring import restoring_statement
from common.warehouse.setup import DESCRIPTION, LABELS, labels_of, shape_of
from common.warehouse.statements import statement
from common.warehouse.translation import translated

_OPEN = {"restore": "open"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CentralBackups:
    """Copies of the central tables in datasets of their own, with the same location and access entries."""

    central: Central
    clock: Clock = utc_now

    def open_backup(self, backup: str) -> None:
        """Create a backup dataset with the access entries of the central one; Conflict where it exists."""
        try:
            self._datasets.create(
                backup,
                labels=self._labels | _OPEN,
                description=f"Backup of {self.central.dataset}. Yours to delete once you need it no more.",
                access=self._access_of(self.central.dataset),
            )
        except AlreadyExists as error:
            raise Conflict("another recreation has begun in this second") from error

    def find_open_backups(self) -> list[str]:
        """List the backups whose rows may not all be back, the newest first (their names end in the time)."""
        return sorted(self._datasets.labelled(self._labels | _OPEN), reverse=True)

    def close_backup(self, backup: str) -> None:
        """Say that all rows are where they belong; the dataset and its tables stay."""
        dataset = bigquery.Dataset(f"{self.central.project}.{backup}")
        dataset.labels = self._labels | {"restore": "done"}
        with translated():
            self.central.client.update_dataset(dataset, ["labels"], retry=RETRY, timeout=TIMEOUT_SECONDS)

    def tables_in(self, dataset: str = "") -> Collection[str]:
        """List the tables of a backup, or of the central dataset; nothing where there is no such dataset."""
        return self._names_in(dataset or self.central.dataset, "TABLE")

    def views_in_central(self) -> Collection[str]:
        """List the views of the central dataset."""
        return self._names_in(self.central.dataset, "VIEW", "MATERIALIZED_VIEW")

    def compare(self, table: str, backup: str) -> RowCounts:
        """Count the rows of a table on both sides, those in the streaming buffer too."""
        (row,) = definitions.run(self.central, statement("setup/compare_rows"), table=table, backup=backup)
        return RowCounts(**row)

    def back_up(self, table: str, backup: str) -> None:
        """Copy a table with all its rows, fresh ones from the streaming buffer too, in one statement."""
        definitions.run(self.central, statement("setup/back_up_table"), table=table, backup=backup)

    def drop_dataset(self) -> None:
        """Drop the central dataset with all that is in it."""
        self._datasets.delete(self.central.dataset, with_contents=True)

    def recreate_dataset(self, backup: str) -> bool:
        """Create the central dataset with the access entries of the backup; False where it exists."""
        try:
            self._datasets.create(
                self.central.dataset, labels=LABELS, description=DESCRIPTION, access=self._access_of(backup)
            )
        except AlreadyExists:
            return False
        return True

    def restore(self, definition: TableDefinition, backup: str) -> None:
        """Put a table in place as defined, with the backup's rows that fit; one that is there goes."""
        present = self._shape(self.central.dataset, definition.name)
        if present and _layout(present) != _layout(definition.shape):
            # BigQuery replaces no table by one of another layout. Meanwhile the rows are in the open backup.
            with translated():
                self.central.client.delete_table(
                    self.central.table(definition.name), retry=RETRY, timeout=TIMEOUT_SECONDS
                )
        shape = self._shape(backup, definition.name)
        if shape is None:
            raise NoSuchResource(f"there is no backup of {definition.name}")
        restoring = restoring_statement(definition, shape, labels_of(definition.name, self.clock()))
        definitions.run(self.central, restoring, table=definition.name, backup=backup)

    def restore_unknown(self, table: str, backup: str) -> None:
        """Bring back a table that no definition knows, as it is in the backup."""
        definitions.run(self.central, statement("setup/restore_unknown_table"), table=table, backup=backup)

    @property
    def _datasets(self) -> Datasets:
        return Datasets(central=self.central)

    @property
    def _labels(self) -> dict[str, str]:
        return LABELS | {"backup_of": self.central.dataset.lower()}

    def _access_of(self, name: str) -> list[bigquery.AccessEntry] | None:
        dataset = self._datasets.find(name)
        return list(dataset.access_entries) if dataset else None

    def _names_in(self, dataset: str, *kinds: str) -> list[str]:
        try:
            contents = self._datasets.contents(dataset)
        except NoSuchResource:
            return []
        return [name for name, kind in contents.items() if kind in kinds]

    def _shape(self, dataset: str, table: str) -> Shape | None:
        if table not in self.tables_in(dataset):
            return None
        with translated():
            found = self.central.client.get_table(
                f"{self.central.project}.{dataset}.{table}", retry=RETRY, timeout=TIMEOUT_SECONDS
            )
        return shape_of(found)


def _layout(shape: Shape) -> tuple[str, tuple[str, ...]]:
    return shape.partition, shape.cluster
