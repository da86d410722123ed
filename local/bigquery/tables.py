"""What the tables that a job names are: their size, and what lies under a view."""

from collections.abc import Iterable

from local_bigquery.catalog import metadata
from local_bigquery.catalog import tables as catalog_tables
from local_bigquery.models import Table as TableResource

from local.bigquery import catalog
from local.bigquery.statements import Table, read_statements

DEEPEST_VIEW = 16


def exists(table: Table) -> bool:
    """Tell whether there is a table or a view of that name."""
    return bool(catalog_tables.exists(*table))


def is_snapshot(table: Table) -> bool:
    """Tell whether there is a snapshot of that name."""
    stored = metadata.load(TableResource, *table)
    return bool(stored and stored.type == "SNAPSHOT")


def under_view(view: Table) -> frozenset[Table]:
    """Return what a view reads; nothing for a table, or for what does not exist."""
    stored = metadata.load(TableResource, *view)
    query = stored.view.query if stored and stored.view else ""
    if not query:
        return frozenset()
    return frozenset(
        source for statement in read_statements(query, view[0], view[1]) for source in statement.sources
    )


def below(tables: Iterable[Table], depth: int = 0) -> frozenset[Table]:
    """Return `tables` with each view replaced by the tables that lie under it."""
    found: set[Table] = set()
    for table in tables:
        sources = under_view(table) if depth < DEEPEST_VIEW else frozenset()
        found |= below(sources, depth + 1) if sources else {table}
    return frozenset(found)


def size_bytes(table: Table) -> int:
    """Return the size of a table as `tables.get` gives it: 8 bytes per value; 0 without such a table."""
    return catalog.size_bytes(*table)
