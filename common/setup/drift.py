"""Drift: how a table that exists differs from its definition, and what of that can be mended in place."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from common.setup.tables import Column, Shape

_RECREATE = "force_recreate_tables would mend it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """Columns to add, columns that may be NULL from now on, and what stays different (in words)."""

    added: tuple[Column, ...] = ()
    relaxed: tuple[Column, ...] = ()
    remaining: tuple[str, ...] = ()

    @property
    def is_mendable(self) -> bool:
        """Tell whether there is anything to change in place."""
        return bool(self.added or self.relaxed)


def drift(wanted: Shape, actual: Shape) -> Drift:
    """Compare a definition with a table."""
    missing = [column for column in wanted.columns if not actual.column(column.name)]
    return Drift(
        added=tuple(_addable(column) for column in missing),
        relaxed=tuple(column for column in wanted.columns if _is_relaxed(column, actual.column(column.name))),
        remaining=(
            *(_REQUIRED_LATER.format(column.name) for column in missing if column.mode == "REQUIRED"),
            *_different_columns(wanted, actual),
            *_different_layout(wanted, actual),
        ),
    )


def mended(actual: Shape, change: Drift) -> tuple[Column, ...]:
    """Return a table's columns as they are once the change is made; added ones come last."""
    relaxed = {column.name for column in change.relaxed}
    kept = (
        replace(column, mode="NULLABLE") if column.name in relaxed else column for column in actual.columns
    )
    return (*kept, *change.added)


_REQUIRED_LATER = f"{{}}: REQUIRED by the definition, added as NULLABLE to a table with rows; {_RECREATE}"


def _addable(column: Column) -> Column:
    # BigQuery adds no REQUIRED column to a table; one that may be NULL does until the table is recreated.
    return replace(column, mode="NULLABLE") if column.mode == "REQUIRED" else column


def _is_relaxed(wanted: Column, actual: Column | None) -> bool:
    return actual is not None and (wanted.mode, actual.mode) == ("NULLABLE", "REQUIRED")


def _different_columns(wanted: Shape, actual: Shape) -> Iterator[str]:
    for column in wanted.columns:
        found = actual.column(column.name)
        if found and found.type != column.type:
            yield f"{column.name}: {found.type} in the table, {column.type} in the definition; {_RECREATE}"
        elif found and found.mode != column.mode and not _is_relaxed(column, found):
            yield f"{column.name}: {found.mode} in the table, {column.mode} in the definition; {_RECREATE}"
    for column in actual.columns:
        if not wanted.column(column.name):
            yield f"{column.name}: in the table, not in the definition; kept as it is"


def _different_layout(wanted: Shape, actual: Shape) -> Iterator[str]:
    if wanted.partition != actual.partition:
        old, new = actual.partition or "nothing", wanted.partition or "nothing"
        yield f"partitioned by {old}, not {new}; {_RECREATE}"
    if wanted.cluster != actual.cluster:
        yield f"clustered by {_listed(actual.cluster)}, not {_listed(wanted.cluster)}; {_RECREATE}"


def _listed(columns: tuple[str, ...]) -> str:
    return ", ".join(columns) or "nothing"
