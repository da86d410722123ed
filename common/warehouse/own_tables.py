"""Tables of tenants' datasets (`common.tenants.own_tables`), as the account that tenants share sees them."""

import base64
import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import partial
from typing import Any

from dateutil.relativedelta import relativedelta
from google.cloud import bigquery

from common.errors import NoSuchResource
from common.logs import carried
from common.tenants.own_tables import Column, LastWrite, OwnTable
from common.times import to_rfc3339
from common.warehouse.bigquery import Queries
from common.warehouse.clients import RETRY, TIMEOUT_SECONDS
from common.warehouse.translation import translated

_AT_ONCE = 16
_HAVING_SIZES = frozenset({"TABLE", "SNAPSHOT", "MATERIALIZED_VIEW"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRows:
    """Lists by requests that bill nothing: no query is asked."""

    client: bigquery.Client
    project: str
    """The platform's own project, where tenants' datasets are."""

    def names(self, tenant_id: str) -> Sequence[str]:
        """List the names of all tables and views; none where the dataset is gone."""
        dataset = bigquery.DatasetReference(self.project, tenant_id)
        try:
            with translated():
                found = self.client.list_tables(dataset, retry=RETRY, timeout=TIMEOUT_SECONDS)
                return [str(table.table_id) for table in found]
        except NoSuchResource:
            return []

    def describe(self, tenant_id: str, names: Sequence[str]) -> Sequence[OwnTable]:
        """Describe tables, several at once, without those that are gone."""
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            found = list(threads.map(carried(partial(self._describe, tenant_id)), names))
        return [table for table in found if table]

    def _describe(self, tenant_id: str, name: str) -> OwnTable | None:
        try:
            with translated():
                table = self.client.get_table(
                    self._reference(tenant_id, name), retry=RETRY, timeout=TIMEOUT_SECONDS
                )
        except NoSuchResource:
            return None
        return _own_table(table)

    def first_rows(self, tenant_id: str, name: str, most: int) -> Sequence[Mapping[str, Any]]:
        """Return what one request lists: BigQuery itself ends a page whose rows are too long."""
        with translated():
            table = self.client.get_table(
                self._reference(tenant_id, name), retry=RETRY, timeout=TIMEOUT_SECONDS
            )
            found = self.client.list_rows(
                table, max_results=most, page_size=most, retry=RETRY, timeout=TIMEOUT_SECONDS
            )
            page = next(iter(found.pages), ())
            return [{column: json_form(value) for column, value in row.items()} for row in page]

    def delete(self, tenant_id: str, name: str) -> None:
        """Delete a table or view; nothing happens where it is gone."""
        with translated():
            self.client.delete_table(
                self._reference(tenant_id, name), not_found_ok=True, retry=RETRY, timeout=TIMEOUT_SECONDS
            )

    def _reference(self, tenant_id: str, name: str) -> bigquery.TableReference:
        return bigquery.DatasetReference(self.project, tenant_id).table(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteRows:
    """Who wrote what, by the log of steps."""

    queries: Queries

    def last_writes(self, tenant_id: str, tables: Sequence[str], since: datetime) -> Mapping[str, LastWrite]:
        """Return the last write of each table, by its name."""
        rows = self.queries.read("tables/last_writes", tenant_id=tenant_id, tables=list(tables), since=since)
        return {row.pop("table_name"): LastWrite(**row) for row in rows}


def _own_table(table: bigquery.Table) -> OwnTable:
    kind = str(table.table_type)
    has_size = kind in _HAVING_SIZES
    return OwnTable(
        name=table.table_id,
        kind=kind,
        rows=int(table.num_rows or 0) if has_size else None,
        bytes=int(table.num_bytes or 0) if has_size else None,
        columns=_columns(table.schema),
        created_at=table.created,
        changed_at=table.modified,
        expires_at=table.expires,
    )


def _columns(fields: Sequence[bigquery.SchemaField]) -> tuple[Column, ...]:
    return tuple(
        Column(
            name=field.name,
            type=_TYPES.get(field.field_type, field.field_type),
            mode=field.mode,
            description=field.description,
            fields=_columns(field.fields),
        )
        for field in fields
    )


_TYPES = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL", "RECORD": "STRUCT"}
"""What SQL calls the types that the API has old names for."""


def json_form(value: Any) -> Any:
    """Write a value of any type as JSON can hold it; what JSON has no word for is text."""
    match value:
        case Mapping():
            return {name: json_form(one) for name, one in value.items()}
        case list() | tuple():
            return [json_form(one) for one in value]
        case float() if not math.isfinite(value):
            return _NAMES_OF_FLOATS[str(value)]
        case None | bool() | int() | float() | str():
            return value
        case _:
            return _text(value)


def _text(value: Any) -> str:
    match value:
        case datetime() if value.tzinfo:
            return to_rfc3339(value)
        case date() | time():  # A DATETIME too, which is on no zone's clock.
            return value.isoformat()
        case bytes():
            return base64.b64encode(value).decode()
        case relativedelta():
            return _interval(value)
        case _:
            return format(value, "f")


_NAMES_OF_FLOATS = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def _interval(value: relativedelta) -> str:
    """Write an interval as SQL reads it, `Y-M D H:M:S`, each part with its own sign."""
    months = value.years * 12 + value.months
    seconds = value.hours * 3600 + value.minutes * 60 + value.seconds
    micros = seconds * 1_000_000 + value.microseconds
    minutes, rest = divmod(abs(micros), 60_000_000)
    part = f".{rest % 1_000_000:06}" if rest % 1_000_000 else ""
    years_and_months = f"{'-' if months < 0 else ''}{abs(months) // 12}-{abs(months) % 12}"
    clock = f"{'-' if micros < 0 else ''}{minutes // 60}:{minutes % 60}:{rest // 1_000_000}{part}"
    return f"{years_and_months} {value.days} {clock}"
