"""Bootstrap: bring the central dataset to what the files describe. Repeating it changes nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from common.at_once import AtOnce, in_threads
from common.errors import InvalidInput, Violation
from common.setup.drift import drift, mended
from common.setup.readiness import StreamingReadiness
from common.setup.recreation import BackedUp, Recreation
from common.setup.tables import Column, Shape, TableDefinition, central_tables
from common.setup.views import ViewDefinition, central_views, in_waves, tenant_view
from common.times import to_rfc3339


class ViewChange(StrEnum):
    """What putting a view in place came to."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


class CentralDataset(Protocol):
    """The central dataset and what is in it."""

    @property
    def full_name(self) -> str:
        """`project.dataset`."""

    def create(self) -> bool:
        """Create the dataset; False where it exists."""

    def find_shape(self, table: str) -> Shape | None:
        """Return what a table is made of, None where there is none."""

    def create_table(self, definition: TableDefinition) -> bool:
        """Create a table without rows; False where it exists."""

    def change_columns(self, table: str, columns: tuple[Column, ...]) -> None:
        """Give a table these columns: those it has, NULLABLE where they may be now, and new ones."""

    def put_view(self, view: ViewDefinition, *, is_forced: bool = False) -> ViewChange:
        """Create a view, or replace one of another text; `is_forced` replaces it in any case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """How many views of tenants were made anew, and how many that need it were not."""

    updated: int = 0
    left: int = 0


class TenantViews(Protocol):
    """The view that each tenant's dataset holds."""

    def refresh(self, view: ViewDefinition) -> Refreshed:
        """Replace the views of another text, as many as there is time for; none is made where none is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableChange:
    """What was changed in a table that existed, by column names."""

    table: str
    added_columns: tuple[str, ...]
    relaxed_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldTable:
    """A table that rows are kept from, for they would be lost, and the moment until which they are."""

    table: str
    until: datetime


@dataclass(slots=True, kw_only=True)
class BootstrapReport:
    """What a bootstrap found and did."""

    dataset_created: bool = False
    tables_created: list[str] = field(default_factory=list)
    tables_existed: list[str] = field(default_factory=list)
    tables_changed: list[TableChange] = field(default_factory=list)
    tables_recreated: list[str] = field(default_factory=list)
    views_created: list[str] = field(default_factory=list)
    views_updated: list[str] = field(default_factory=list)
    tenant_views: Refreshed = field(default_factory=Refreshed)
    backed_up: list[BackedUp] = field(default_factory=list)
    streaming_held: list[HeldTable] = field(default_factory=list)
    drift: list[str] = field(default_factory=list)

    @property
    def total_tables(self) -> int:
        """How many central tables there are."""
        return len(self.tables_created) + len(self.tables_existed)

    @property
    def streamed_changes(self) -> dict[str, tuple[str, ...]]:
        """Tables that BigQuery's streaming has to learn of, each with its new columns."""
        return dict.fromkeys([*self.tables_created, *self.tables_recreated], ()) | {
            change.table: change.added_columns for change in self.tables_changed if change.added_columns
        }

    @property
    def message(self) -> str:
        """The report in a sentence or two, with what the operator must know next."""
        return " ".join(self._sentences())

    def _sentences(self) -> Iterator[str]:
        yield f"{self.total_tables} central tables are in place, {len(self.tables_created)} of them new."
        if self.streaming_held:
            until = to_rfc3339(max(held.until for held in self.streaming_held))
            yield f"Rows do not arrive yet in {len(self.streaming_held)} tables; requests that write them"
            yield f"are answered 503 until they do, or until {until}: repeat the call to look again."
        if sum(table.rows_left_behind for table in self.backed_up):
            yield "Rows that do not fit the new tables are in the backup only."
        if self.tenant_views.left:
            yield f"{self.tenant_views.left} views of tenants have their old text: repeat the call."
        if self.drift:
            yield "Some tables differ from their definitions: see drift."


@dataclass(frozen=True, slots=True, kw_only=True)
class Bootstrap:
    """Creates what is missing, adds new columns, replaces changed views; recreates tables when asked to."""

    central: CentralDataset
    tenant_views: TenantViews
    recreation: Recreation
    readiness: StreamingReadiness
    definitions: tuple[TableDefinition, ...] = field(default_factory=central_tables)
    views: tuple[ViewDefinition, ...] = field(default_factory=central_views)
    at_once: AtOnce = in_threads

    def run(
        self, *, force_recreate_dataset: bool = False, force_recreate_tables: bool = False, confirm: str = ""
    ) -> BootstrapReport:
        """Set up. Recreating the dataset takes its full name in `confirm`: InvalidInput otherwise."""
        if force_recreate_dataset and confirm != self.central.full_name:
            rule = f"must be {self.central.full_name!r} where force_recreate_dataset is true"
            raise InvalidInput([Violation("/confirm", rule)])
        report = BootstrapReport()
        # First of all: an earlier recreation that was cut off has rows in its backup and nowhere else.
        report.backed_up += self.recreation.resume()
        report.dataset_created = self.central.create()
        if force_recreate_dataset or force_recreate_tables:
            # Rows that come while a table is replaced would be in neither, and those of the next minutes too.
            existing = self.recreation.backups.tables_in()
            self.readiness.hold(existing)
        if force_recreate_dataset:
            report.backed_up += self.recreation.recreate_dataset()
            report.dataset_created = True
        elif force_recreate_tables:
            report.backed_up += self.recreation.recreate_tables()
        report.tables_recreated = [table.table for table in report.backed_up]
        self._put_tables(report)
        self._put_views(report)
        held = self.readiness.release_ready(self.definitions, report.streamed_changes)
        report.streaming_held = [HeldTable(table=table, until=until) for table, until in held.items()]
        report.tenant_views = self.tenant_views.refresh(tenant_view())
        return report

    def _put_tables(self, report: BootstrapReport) -> None:
        created = self.at_once(self.central.create_table, self.definitions)
        for definition, is_new in zip(self.definitions, created, strict=True):
            if is_new:
                report.tables_created.append(definition.name)
                continue
            report.tables_existed.append(definition.name)
            self._mend(definition, report)

    def _mend(self, definition: TableDefinition, report: BootstrapReport) -> None:
        actual = self.central.find_shape(definition.name)
        if actual is None:
            return
        found = drift(definition.shape, actual)
        report.drift += [f"{definition.name}: {difference}" for difference in found.remaining]
        if found.is_mendable:
            self.central.change_columns(definition.name, mended(actual, found))
            added = tuple(column.name for column in found.added)
            relaxed = tuple(column.name for column in found.relaxed)
            report.tables_changed.append(
                TableChange(table=definition.name, added_columns=added, relaxed_columns=relaxed)
            )

    def _put_views(self, report: BootstrapReport) -> None:
        # A view remembers the columns of the tables that it was made over.
        is_stale = bool(report.tables_changed or report.tables_recreated)
        for wave in in_waves(self.views):
            changes = self.at_once(lambda view: self.central.put_view(view, is_forced=is_stale), wave)
            self._tell_of_views(report, wave, changes)

    @staticmethod
    def _tell_of_views(
        report: BootstrapReport, views: Sequence[ViewDefinition], changes: Sequence[ViewChange]
    ) -> None:
        for view, change in zip(views, changes, strict=True):
            if change is ViewChange.CREATED:
                report.views_created.append(view.name)
            elif change is ViewChange.UPDATED:
                report.views_updated.append(view.name)
