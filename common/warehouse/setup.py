"""The central dataset and its tables (`common.setup.bootstrap.CentralDataset`), without their rows."""

from dataclasses import dataclass
from datetime import datetime

from google.api_core import exceptions as google
from google.cloud import bigquery

from common.errors import AlreadyExists
from common.setup.bootstrap import ViewChange
from common.setup.readiness import MAX_HOLD, STREAMED_TABLES
from common.setup.tables import Column, Shape, TableDefinition
from common.setup.views import ViewDefinition
from common.times import Clock, utc_now
from common.warehouse.bigquery import Central
from common.warehouse.clients import RETRY, TIMEOUT_SECONDS
from common.warehouse.datasets import Datasets
from common.warehouse.streaming import hold_label
from common.warehouse.translation import translated
from common.warehouse.views import Views

DESCRIPTION = "State and logs of all tenants. Append-only: the latest row of a key is its state."
LABELS = {"managed_by": "convergence"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CentralTables:
    """Creates and changes what is in the central dataset; no row passes through here."""

    central: Central
    clock: Clock = utc_now

    @property
    def full_name(self) -> str:
        """`project.dataset`."""
        return f"{self.central.project}.{self.central.dataset}"

    def create(self) -> bool:
        """Create the dataset; False where it exists."""
        try:
            Datasets(central=self.central).create(
                self.central.dataset, labels=LABELS, description=DESCRIPTION
            )
        except AlreadyExists:
            return False
        return True

    def table_names(self) -> list[str]:
        """List the tables; NoSuchResource where there is no such dataset."""
        contents = Datasets(central=self.central).contents(self.central.dataset)
        return [name for name, kind in contents.items() if kind == "TABLE"]

    def find_shape(self, table: str) -> Shape | None:
        """Return what a table is made of, None where there is none."""
        found = self._find(table)
        return shape_of(found) if found else None

    def create_table(self, definition: TableDefinition) -> bool:
        """Create a table without rows; False where it exists."""
        table = bigquery.Table(
            self.central.table(definition.name), schema=schema_fields(definition.shape.columns)
        )
        table.description = definition.description
        table.labels = labels_of(definition.name, self.clock())
        table.clustering_fields = list(definition.shape.cluster) or None
        if definition.shape.partition:
            table.time_partitioning = bigquery.TimePartitioning(field=definition.shape.partition)
        with translated():
            try:
                self.central.client.create_table(table, retry=RETRY, timeout=TIMEOUT_SECONDS)
            except google.Conflict:
                return False
        return True

    def change_columns(self, table: str, columns: tuple[Column, ...]) -> None:
        """Give a table these columns: those it has, NULLABLE where they may be now, and new ones."""
        changed = bigquery.Table(self.central.table(table), schema=schema_fields(columns))
        with translated():
            self.central.client.update_table(changed, ["schema"], retry=RETRY, timeout=TIMEOUT_SECONDS)

    def put_view(self, view: ViewDefinition, *, is_forced: bool = False) -> ViewChange:
        """Create a view, or replace one of another text; `is_forced` replaces it in any case."""
        return Views(central=self.central).put(view, dataset=self.central.dataset, is_forced=is_forced)

    def _find(self, table: str) -> bigquery.Table | None:
        with translated():
            try:
                return self.central.client.get_table(
                    self.central.table(table), retry=RETRY, timeout=TIMEOUT_SECONDS
                )
            except google.NotFound:
                return None


def labels_of(table: str, now: datetime) -> dict[str, str]:
    """Return the labels of a new table: rows are kept from one that is streamed to until they arrive."""
    return LABELS | (hold_label(now + MAX_HOLD) if table in STREAMED_TABLES else {})


def shape_of(table: bigquery.Table) -> Shape:
    """Describe a table of BigQuery in the words of the definitions."""
    return Shape(
        columns=tuple(
            Column(
                name=field.name, type=field.field_type, mode=field.mode, description=field.description or ""
            )
            for field in table.schema
        ),
        partition=table.time_partitioning.field or "" if table.time_partitioning else "",
        cluster=tuple(table.clustering_fields or ()),
    )


def schema_fields(columns: tuple[Column, ...]) -> list[bigquery.SchemaField]:
    """Return the columns of a definition as BigQuery's."""
    return [
        bigquery.SchemaField(column.name, column.type, column.mode, description=column.description)
        for column in columns
    ]
