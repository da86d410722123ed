"""A tenant's tables, what stands in them and where it comes from; and what runs used and what it cost."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import accumulate, groupby, islice
from typing import Any, Literal

from werkzeug.exceptions import NotFound

from common.client import Problem
from common.client.configs import ConfigGraph
from common.client.tables import Table
from common.client.tenant import UsageRow
from common.console.quality_pages import MAX_RESULTS, histories_of
from common.console.visits import Answered, Page, PageRoute, Visit
from common.times import utc_now

MAX_TABLES = 500
ROWS_SHOWN = 50
MAX_ROW_CHARACTERS = 30_000
"""How much of a table's rows a page holds, written as JSON; the first row is shown in any case."""
USAGE_DAYS = 30
MAX_PLOTTED_DAYS = 400


def tables(visit: Visit) -> Answered:
    """List the tables and views of the dataset."""
    found = list(islice(visit.client.tables.all(), MAX_TABLES))
    return Page(template="tables.html", values={"tables": found, "is_cut": len(found) == MAX_TABLES})


def table(visit: Visit) -> Answered:
    """Show a table: its columns, its first rows, the steps that write and read it, its checks over time."""
    name = visit.path["table"]
    found = visit.client.tables.find(name)
    if found is None:
        raise NotFound("There is no such table.")
    rows, told = None, ""
    try:
        rows = visit.client.tables.rows(name, limit=ROWS_SHOWN)
    except Problem as problem:
        # A view has no rows of its own, and a key needs the scope `data` to see any.
        if problem.status not in {403, 409}:
            raise
        told = problem.detail
    shown = rows_that_fit(rows["rows"]) if rows else []
    checked = visit.client.quality.results(table=name, limit=MAX_RESULTS)["results"]
    values = {
        "table": found,
        "rows": rows,
        "shown": shown,
        "told": told,
        "lineage": _lineage(visit, found),
        "checks": histories_of(checked),
    }
    return Page(template="table.html", values=values)


def rows_that_fit(rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Return the first rows, as many as a page holds."""
    sizes = accumulate(len(json.dumps(row)) for row in rows)
    return rows[: max(sum(size <= MAX_ROW_CHARACTERS for size in sizes), 1)]


def usage(visit: Visit) -> Answered:
    """Show what runs used and what it cost, by day and by pipeline, and the budgets for it."""
    today = utc_now().date()
    asked = {
        "from": visit.query.get("from") or (today - timedelta(days=USAGE_DAYS - 1)).isoformat(),
        "to": visit.query.get("to") or today.isoformat(),
    }
    found = visit.client.tenant.usage(**asked, by="day,pipeline")
    days = _sums(found["rows"], "day")
    values = {
        "usage": found,
        "quota": visit.client.tenant.quota(),
        "asked": asked,
        "days": days,
        "all_days": _with_idle_days(days, found["from"], found["to"]),
        "pipelines": sorted(_sums(found["rows"], "pipeline_id"), key=lambda row: -row["bytes_billed"]),
    }
    return Page(template="usage.html", values=values)


def _lineage(visit: Visit, found: Table) -> list[dict[str, Any]]:
    """List the steps around a table, over all pipelines that share tables with the one that writes it."""
    written = found["last_written"]
    if written is None:
        return []
    try:
        graph = visit.client.configs.graph(written["pipeline_id"], across=True)
    except Problem as problem:
        if problem.status != 404:  # The pipeline is no more.
            raise
        return []
    return _steps_around(graph, found["table"])


def _steps_around(graph: ConfigGraph, name: str) -> list[dict[str, Any]]:
    nodes = {one["node"] for one in graph["tables"] if one["is_own"] and one["table"].split(".")[-1] == name}
    steps = {one["node"]: one for one in graph["steps"]}
    shown = {one["node"]: one["table"] for one in graph["tables"]}
    edges = [edge for edge in graph["edges"] if edge["kind"] != "precedes"]
    around = []
    for edge in edges:
        if edge["to"] in nodes:
            others = {shown[one["from"]] for one in edges if one["to"] == edge["from"]}
            around.append({"step": steps[edge["from"]], "writes": True, "tables": sorted(others)})
        if edge["from"] in nodes:
            others = {shown[one["to"]] for one in edges if one["from"] == edge["to"]}
            around.append({"step": steps[edge["to"]], "writes": False, "tables": sorted(others)})
    return sorted(around, key=lambda one: (not one["writes"], one["step"]["node"]))


def _sums(rows: list[UsageRow], key: Literal["day", "pipeline_id"]) -> list[dict[str, Any]]:
    """Sum rows by one of their keys, in its order."""
    ordered = sorted(rows, key=lambda row: str(row[key]))
    return [_sum(name, list(group)) for name, group in groupby(ordered, key=lambda row: str(row[key]))]


def _with_idle_days(days: list[dict[str, Any]], first: str, last: str) -> list[dict[str, Any]]:
    known, day = {one["name"]: one for one in days}, date.fromisoformat(first)
    span = (date.fromisoformat(last) - day).days + 1
    names = [(day + timedelta(days=number)).isoformat() for number in range(min(span, MAX_PLOTTED_DAYS))]
    return [known.get(name) or {"name": name, "runs": 0, "bytes_billed": 0} for name in names]


def _sum(name: str, rows: list[UsageRow]) -> dict[str, Any]:
    costs = [row["cost"] for row in rows]
    return {
        "name": name,
        "runs": sum(row["runs"] for row in rows),
        "failures": sum(row["failures"] for row in rows),
        "bytes_billed": sum(row["bytes_billed"] for row in rows),
        "cost": None if None in costs else sum(cost for cost in costs if cost is not None),
    }


ROUTES = (
    PageRoute(path="/console/tables", visit=tables),
    PageRoute(path="/console/tables/<table>", visit=table),
    PageRoute(path="/console/usage", visit=usage),
)
