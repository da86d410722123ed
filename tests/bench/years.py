"""What the platform's queries read of a year of logs: by the partitions and clusters that their texts name.

The queries are those that a site asks in truth, with the parameters that it asked them with. Of each table
that has a partition for each day, the text says which days may be read, and for which columns that the table
is clustered by it names one value. A model of a year says how many rows that is. What a condition says in
another way than by a comparison with a parameter, is not seen: it may read less.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

import sqlglot
from sqlglot import exp

from common.setup.tables import TableDefinition, central_tables
from common.setup.views import central_views
from common.times import utc_now
from common.warehouse.bigquery import Queries, Row, statement
from tests.functional.site import Site, Tenant, a_pipeline_file

ROWS_OF_A_YEAR = 10_000_000
DAYS_OF_A_YEAR = 365
TENANTS = 1_000
PLACE = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one query reads of one table of logs."""

    query: str
    table: str
    days: int
    """How many partitions of a year it may read."""
    clusters: tuple[str, ...]
    """The columns, of those that the table is clustered by, for which it names one value."""

    @property
    def rows_of_days(self) -> int:
        """What is in its partitions: where these are small, BigQuery reads them whole."""
        return ROWS_OF_A_YEAR * self.days // DAYS_OF_A_YEAR

    @property
    def rows_of_tenant(self) -> int:
        """What is in its partitions of one tenant, where it names one."""
        return self.rows_of_days // (TENANTS if "tenant_id" in self.clusters else 1)


@dataclass(slots=True)
class _Asked:
    """The queries that were asked, each with the parameters of the first time."""

    found: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Hear of each read inside the block."""
        read = Queries.read

        def heard(queries: Queries, name: str, **values: Any) -> list[Row]:
            self.found.setdefault(name, values)
            return read(queries, name, **values)

        Queries.read = heard  # type: ignore[assignment, method-assign]
        try:
            yield
        finally:
            Queries.read = read  # type: ignore[method-assign]


def readings(site: Site, tenant: Tenant) -> Sequence[Reading]:
    """Ask for all that is asked for often, and say what each query reads."""
    asked = _Asked()
    with asked.heard():
        for call in _calls(tenant):
            call()
            site.drain()
        site.tick()
    return [reading for name, values in asked.found.items() for reading in readings_of(name, values)]


def _calls(tenant: Tenant) -> Iterator[Callable[[], object]]:
    yield lambda: tenant.upload("year", a_pipeline_file({"a": "SELECT 1 AS n"}))
    run_id = tenant.run("year")
    yield lambda: tenant.status(run_id)
    for path in ("history", f"runs/{run_id}/receipt", "configs", "quality", "schedules"):
        yield lambda path=path: tenant.call("GET", f"/api/v1/pipelines/{path}")  # type: ignore[misc]
    yield lambda: tenant.own("GET", "/api/v1/tenants/quota")
    yield lambda: tenant.call("POST", f"/api/v1/pipelines/retry/{tenant.run('year')}", {})


def readings_of(name: str, values: Mapping[str, Any]) -> Iterator[Reading]:
    """Say what one query reads of each table that has a partition for each day."""
    tables = {one.name: one for one in central_tables() if one.shape.partition}
    found: dict[str, Reading] = {}
    for select in _parsed(statement(name).text).find_all(exp.Select):
        for table, conditions in _stored(select, _conditions(select)):
            if table in tables:
                reading = _reading(name, tables[table], conditions, values)
                found[table] = max(reading, found.get(table, reading), key=lambda one: one.rows_of_tenant)
    yield from found.values()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Condition:
    """A comparison of a column, one of those that all have to hold."""

    of: str
    """The name that stands before the column, "" for none."""
    column: str
    kind: type[exp.Expr]
    value: exp.Expr


def _parsed(sql: str) -> exp.Expr:
    return sqlglot.parse_one(PLACE.sub(lambda place: place[1], sql), dialect="bigquery")


def _conditions(select: exp.Select) -> list[_Condition]:
    where = select.args.get("where")
    parts = list(where.this.flatten()) if where and isinstance(where.this, exp.And) else []
    if where and not parts:
        parts = [where.this]
    return [
        _Condition(of=part.this.table, column=part.this.name, kind=type(part), value=part.expression)
        for part in parts
        if isinstance(part, exp.EQ | exp.GT | exp.GTE | exp.LT | exp.LTE)
        and isinstance(part.this, exp.Column)
    ]


def _stored(select: exp.Select, conditions: Sequence[_Condition]) -> Iterator[tuple[str, list[_Condition]]]:
    """Name the tables that a SELECT reads itself, through views, with the conditions that reach each."""
    views = {view.name: view.text for view in central_views()}
    for table in (one for one in select.find_all(exp.Table) if one.parent_select is select):
        reaching = [one for one in conditions if one.of in ("", table.alias_or_name)]
        if table.name not in views:
            yield table.name, reaching
            continue
        for inner in _parsed(views[table.name]).find_all(exp.Select):
            keys = _keys(inner)
            passed = [replace(one, of="") for one in reaching if keys is None or one.column in keys]
            yield from _stored(inner, [*_conditions(inner), *passed])


def _keys(select: exp.Select) -> set[str] | None:
    """Name the columns of a window that chooses rows: a filter on others does not reach below it."""
    qualify = select.args.get("qualify")
    if qualify is None:
        return None
    windows = list(qualify.find_all(exp.Window))
    return {column.name for window in windows for column in window.args.get("partition_by") or ()}


def _reading(
    name: str, table: TableDefinition, conditions: Sequence[_Condition], values: Mapping[str, Any]
) -> Reading:
    today = utc_now().date()
    first, last = today - timedelta(days=DAYS_OF_A_YEAR - 1), today
    for one in conditions:
        if one.column == table.shape.partition and (day := _day(one.value, values)):
            first = max(first, day) if one.kind in (exp.GT, exp.GTE, exp.EQ) else first
            last = min(last, day) if one.kind in (exp.LT, exp.LTE, exp.EQ) else last
    named = {one.column for one in conditions if one.kind is exp.EQ}
    return Reading(
        query=name,
        table=table.name,
        days=max(0, (last - first).days + 1),
        clusters=tuple(column for column in table.shape.cluster if column in named),
    )


def _day(value: exp.Expr, values: Mapping[str, Any]) -> date | None:
    """Return the day that a bound names, None where its text does not say it by itself."""
    if isinstance(value, exp.TimestampSub) and isinstance(value.this, exp.CurrentTimestamp):
        return utc_now().date() - timedelta(days=int(value.expression.name))
    given = values.get(value.name) if isinstance(value, exp.Parameter) else None
    if isinstance(given, datetime):
        return given.date()
    return given if isinstance(given, date) else None
