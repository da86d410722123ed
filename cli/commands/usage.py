"""`usage`, `admin usage`: what runs and jobs came to in a span of days, and what they cost."""

from typing import Annotated, Any

import typer

from cli.options import AsJson, session_of
from cli.screen import Screen
from cli.words import size
from common.client.tenant import Usage

First = Annotated[str, typer.Option("--from", help="The first day; else the first of the month.")]
Last = Annotated[str, typer.Option("--to", help="The last day; else today.")]
By = Annotated[str, typer.Option(help="Tell rows apart by day, pipeline, step: words with commas between.")]
FIGURES = ("Runs", "Failed", "Jobs", "Read", "Billed", "Cost")


def usage(
    context: typer.Context,
    first: First = "",
    last: Last = "",
    by: By = "pipeline",
    config_id: Annotated[str, typer.Option("--pipeline", help="Only what this pipeline used.")] = "",
    as_json: AsJson = False,
) -> None:
    """Show what your runs used and what it cost."""
    session = session_of(context)
    found = session.client.tenant.usage(**_asked(first, last, by), pipeline_id=config_id or None)
    _show(session.screen, found, as_json=as_json)


def usage_of_tenants(
    context: typer.Context,
    first: First = "",
    last: Last = "",
    by: By = "",
    tenant_id: Annotated[str, typer.Option("--tenant", help="Only what this tenant used.")] = "",
    as_csv: Annotated[bool, typer.Option("--csv", help="Write CSV, for invoices.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what each tenant used and what it cost."""
    session = session_of(context)
    asked = _asked(first, last, by) | {"tenant_id": tenant_id or None}
    if as_csv:
        session.screen.text(session.operator.usage_csv(**asked))
    else:
        _show(session.screen, session.operator.usage(**asked), as_json=as_json, is_of_all=True)


def _asked(first: str, last: str, by: str) -> dict[str, Any]:
    return {"from": first or None, "to": last or None, "by": by or None}


def _show(screen: Screen, found: Usage, *, as_json: bool, is_of_all: bool = False) -> None:
    if as_json:
        screen.json(found)
        return
    keys = [("Tenant", "tenant_id")] if is_of_all else []
    keys += [(word.capitalize(), "day" if word == "day" else f"{word}_id") for word in found["by"]]
    rows = [[_value(row, name) for _, name in keys] + _figures(row) for row in found["rows"]]
    total = ["total", *[""] * len(keys)][: len(keys)] + _figures(found["total"])
    screen.table([title for title, _ in keys] + list(FIGURES), [*rows, total])
    price = found["price"]
    if price["per_tebibyte"] is None:
        screen.note(f"The price of {price['location']} is not known, so no cost is told")
    else:
        told = f"{price['per_tebibyte']:g} {price['currency']} for a TiB in {price['location']}"
        screen.note(f"From {found['from']} to {found['to']}, at {told} (as of {price['as_of']})")
    if unknown := found["total"]["jobs_of_unknown_bytes"]:
        screen.note(f"Of {unknown} jobs BigQuery did not say what they are billed for: they are in no sum")


def _value(row: Any, name: str) -> Any:
    return row[name]


def _figures(row: Any) -> list[Any]:
    cost = "unknown" if row["cost"] is None else f"{row['cost']:.4f}"
    read, billed = size(row["bytes_processed"]), size(row["bytes_billed"])
    return [row["runs"], row["failures"], row["jobs"], read, billed, cost]
