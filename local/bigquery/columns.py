"""Names of the columns that a query gives: BigQuery takes no two of one name, and not every name."""

from collections.abc import Callable, Iterable, Iterator
from itertools import count
from typing import Any

from local_bigquery.catalog import names
from local_bigquery.engine import results
from local_bigquery.errors import BigQueryError
from local_bigquery.jobs import query
from local_bigquery.models import TableFieldSchema

RESERVED = ("_partition", "_table_", "_file_", "_row_timestamp", "__root__", "_colidentifier")
_fields: Callable[..., list[TableFieldSchema]] = query._fields


def install() -> None:
    """Check the columns of each result and of each dry run."""
    results.unique = checked
    query._fields = _checked_fields


def checked(columns: Iterable[str]) -> list[str]:
    """Return the names that BigQuery gives; BigQueryError where it would not take them."""
    named = list(_named(columns))
    seen: set[str] = set()
    for column in named:
        if column.casefold() in seen:
            raise BigQueryError(
                "invalidQuery",
                "Duplicate column names in the result are not supported when a destination table is present. "
                f"Found duplicate(s): {column}",
            )
        if column.casefold().startswith(RESERVED):
            prefixes = ", ".join(RESERVED[:-1]).upper()
            raise BigQueryError(
                "invalidQuery",
                f'Invalid field name "{column}". Field names are not allowed to start with the '
                f"(case-insensitive) prefixes {prefixes} and {RESERVED[-1].upper()}",
            )
        seen.add(column.casefold())
        names.fields([TableFieldSchema(name=column)])
    return named


def _named(columns: Iterable[str]) -> Iterator[str]:
    """Give numbers to columns without a name, which DuckDB calls by what they compute."""
    numbers = count()
    for column in columns:
        yield f"f{next(numbers)}_" if "(" in column else column


def _checked_fields(relation: Any, *arguments: Any) -> list[TableFieldSchema]:
    fields = _fields(relation, *arguments)
    return [field.replace(name=name) for field, name in zip(fields, checked(relation.columns), strict=True)]
