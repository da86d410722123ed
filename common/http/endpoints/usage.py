"""What tenants used and what it cost: a tenant about itself, operators about all, as JSON or as CSV."""

import csv
from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal
from io import StringIO
from typing import Any

from common.costs.prices import Price
from common.costs.usage import GROUPS, UsageReport, UsageRow
from common.http.routing import Access, Answer, Call, Parameter, Place, Route
from common.http.schemas import schemas
from common.http.services import AdminServices, TenantServices

_DAY = {"type": "string", "format": "date"}
_WORD = "(day|pipeline|step)"
SPAN = (
    Parameter(
        name="from",
        place=Place.QUERY,
        description="The first UTC day that is counted; without it, the first of the month of `to`.",
        schema=_DAY,
        example="2024-01-01",
    ),
    Parameter(
        name="to",
        place=Place.QUERY,
        description="The last UTC day that is counted; without it, today.",
        schema=_DAY,
        example="2024-01-31",
    ),
    Parameter(
        name="by",
        place=Place.QUERY,
        description="What rows are told apart by: `day`, `pipeline`, `step`, or several with commas between.",
        schema={"type": "string", "pattern": f"^({_WORD}(,{_WORD}){{0,2}})?$", "default": ""},
        example="day,pipeline",
    ),
)
OF_PIPELINE = Parameter(
    name="pipeline_id",
    place=Place.QUERY,
    description="Only what this pipeline used.",
    schema={"type": "string", "pattern": "^[a-z][a-z0-9_-]{0,62}$"},
    example="daily_orders",
)
OF_TENANT = Parameter(
    name="tenant_id",
    place=Place.QUERY,
    description="Only what this tenant used.",
    schema={"type": "string", "pattern": "^[a-z][a-z0-9_]{2,49}$"},
    example="customer_name",
)
FORMAT = Parameter(
    name="format",
    place=Place.QUERY,
    description="JSON, or CSV for invoices: the same rows, a line each, without the total.",
    schema={"type": "string", "enum": ["json", "csv"], "default": "json"},
    example="csv",
)
CSV = "text/csv; charset=utf-8"


def read_usage(call: Call[TenantServices]) -> Answer:
    """Show what your runs used and what it cost.

    Counted from the runs and the jobs of the days, those of today too, as far as they have ended. The cost is
    that of on-demand queries in the platform's project; where the price or the bytes are not known, the
    answer says so and puts nothing in their place.
    """
    report = call.services.usage.of_tenant(
        call.caller.tenant_id, call.query, call.query.get("pipeline_id", "")
    )
    return Answer(body=_body(report))


def read_tenants_usage(call: Call[AdminServices]) -> Answer:
    """Show what each tenant used and what it cost, as JSON or CSV.

    Tenants that are no more are among them. `docs/usage.md` has a query that asks the central tables for the
    same.
    """
    report = call.services.usage.of_all(call.query, call.query.get("tenant_id", ""))
    if call.query["format"] == "csv":
        return Answer(body=_csv(report), content_type=CSV)
    return Answer(body=_body(report))


def price_body(price: Price) -> dict[str, Any]:
    """Describe a price as numbers."""
    return asdict(price) | {"per_tebibyte": as_number(price.per_tebibyte)}


def as_number(amount: Decimal | None) -> float | None:
    """Write an amount of money as a number; one that is unknown stays so."""
    return None if amount is None else float(amount)


def _body(report: UsageReport) -> dict[str, Any]:
    total = UsageRow(tenant_id="", day=None, pipeline_id=None, step_id=None, used=report.total)
    return {
        "from": report.wanted.first,
        "to": report.wanted.last,
        "by": [word for word in GROUPS if word in report.wanted.by],
        "price": price_body(report.price),
        "rows": [_row(report, row) for row in report.rows],
        "total": _row(report, total) | {"tenant_id": None},
    }


def _row(report: UsageReport, row: UsageRow) -> dict[str, Any]:
    keys = {
        "tenant_id": row.tenant_id,
        "day": row.day,
        "pipeline_id": row.pipeline_id,
        "step_id": row.step_id,
    }
    return keys | asdict(row.used) | {"cost": as_number(report.cost(row.used))}


def _csv(report: UsageReport) -> str:
    """Write rows for a spreadsheet; what is unknown is an empty cell. IDs begin with letters: no formulas."""
    out = StringIO()
    writer = csv.DictWriter(out, [*_columns(), "currency", "from", "to"], lineterminator="\r\n")
    writer.writeheader()
    span = {"currency": report.price.currency, "from": report.wanted.first, "to": report.wanted.last}
    for row in report.rows:
        cost = report.cost(row.used)
        writer.writerow(_row(report, row) | span | {"cost": "" if cost is None else f"{cost:f}"})
    return out.getvalue()


def _columns() -> Mapping[str, Any]:
    properties: Mapping[str, Any] = schemas()["usage_row"]["properties"]
    return properties


TENANT_USAGE_ROUTES: tuple[Route[TenantServices], ...] = (
    Route(
        method="GET",
        path="/api/v1/tenants/usage",
        endpoint=read_usage,
        access=Access.READ,
        parameters=(*SPAN, OF_PIPELINE),
        answers={200: "usage"},
        tag="Tenants",
    ),
)
ADMIN_USAGE_ROUTES: tuple[Route[AdminServices], ...] = (
    Route(
        method="GET",
        path="/admin/usage",
        endpoint=read_tenants_usage,
        access=Access.ADMIN,
        parameters=(*SPAN, OF_TENANT, FORMAT),
        answers={200: "usage"},
        texts={"text/csv": "tenant_id,day,pipeline_id,step_id,runs\r\ncustomer_name,2024-01-18,,,4\r\n"},
        tag="Admin",
    ),
)
