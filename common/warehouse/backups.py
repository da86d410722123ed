"""Backups of the central tables (`common.setup.recreation.Backups`), and how their rows come back."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from string import Template

from google.cloud import bigquery

from common.errors import AlreadyExists, Conflict, NoSuchResource
from common.setup.recreation import RowCounts
from common.setup.tables import Column, Shape, TableDefinition
from common.times import Clock, utc_now
from common.warehouse.bigquery import Central, Statement, define, statement
from common.warehouse.clients import RETRY, TIMEOUT_SECONDS
from common.warehouse.datasets import Datasets
from common.warehouse.setup import DESCRIPTION, LABELS, labels_of, shape_of
from common.warehouse.translation import translated

_SQL_TYPES = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL"}
# Types that BigQuery casts into each other; it refuses the whole statement for another pair.
_CASTABLE = (
    *(
        {"STRING", other}
        for other in ("INTEGER", "FLOAT", "NUMERIC", "BOOLEAN", "BYTES", "DATE", "TIMESTAMP")
    ),
    {"INTEGER", "FLOAT", "NUMERIC"},
    {"DATE", "TIMESTAMP"},
)


def restoring_statement(definition: TableDefinition, backup: Shape, labels: Mapping[str, str]) -> Statement:
    """Write `restore_table` for one table; identifiers are left to be put in."""
    wanted = definition.shape
    template = statement("setup/restore_table")
    text = Template(template.text).safe_substitute(
        columns=",\n  ".join(_definition(column) for column in wanted.columns),
        layout=_layout_clause(wanted),
        description=_literal(definition.description),
        labels=", ".join(f"({_literal(key)}, {_literal(value)})" for key, value in labels.items()),
        values=", ".join(f"{_value(column, backup)} AS {column.name}" for column in wanted.columns),
        fits=" AND ".join(["TRUE", *_conditions(wanted, backup)]),
    )
    return Statement(name=template.name, text=text, parameter_types={})


def _definition(column: Column) -> str:
    required = " NOT NULL" if column.mode == "REQUIRED" else ""
    return (
        f"{column.name} {_sql_type(column)}{required} OPTIONS (description = {_literal(column.description)})"
    )


def _layout_clause(shape: Shape) -> str:
    column = shape.column(shape.partition)
    days = f"PARTITION BY {_day(column)}" if column else ""
    cluster = f"CLUSTER BY {', '.join(shape.cluster)}" if shape.cluster else ""
    return "\n".join(clause for clause in (days, cluster) if clause)


def _day(column: Column) -> str:
    return column.name if column.type == "DATE" else f"DATE({column.name})"


def _value(column: Column, backup: Shape) -> str:
    """Say how a column gets its value: as it is, cast, or NULL where the backup has none for it."""
    old = backup.column(column.name)
    if old and old.type == column.type and _is_repeated(old) == _is_repeated(column):
        return column.name
    if old and _is_castable(old, column):
        return f"SAFE_CAST({column.name} AS {_sql_type(column)})"
    return f"CAST(NULL AS {_sql_type(column)})"


def _is_castable(old: Column, new: Column) -> bool:
    are_single = not _is_repeated(old) and not _is_repeated(new)
    return are_single and any({old.type, new.type} <= types for types in _CASTABLE)


def _conditions(wanted: Shape, backup: Shape) -> list[str]:
    required = (column for column in wanted.columns if column.mode == "REQUIRED")
    return [f"{_value(column, backup)} IS NOT NULL" for column in required]


def _is_repeated(column: Column) -> bool:
    return column.mode == "REPEATED"


def _sql_type(column: Column) -> str:
    name = _SQL_TYPES.get(column.type, column.type)
    return f"ARRAY<{name}>" if _is_repeated(column) else name


def _literal(text: str) -> str:
    # JSON's escapes are all among those of a string literal in BigQuery; "$" would open a place.
    return json.dumps(text).replace("$", "\\u0024")


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
        (row,) = define(self.central, statement("setup/compare_rows"), table=table, backup=backup)
        return RowCounts(**row)

    def back_up(self, table: str, backup: str) -> None:
        """Copy a table with all its rows, fresh ones from the streaming buffer too, in one statement."""
        define(self.central, statement("setup/back_up_table"), table=table, backup=backup)

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
        define(self.central, restoring, table=definition.name, backup=backup)

    def restore_unknown(self, table: str, backup: str) -> None:
        """Bring back a table that no definition knows, as it is in the backup."""
        define(self.central, statement("setup/restore_unknown_table"), table=table, backup=backup)

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
