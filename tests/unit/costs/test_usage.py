"""Usage over HTTP: whose, of which days, how told apart, and at what price."""

import csv
import io
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from common.costs import usage
from common.costs.prices import TEBIBYTE
from common.costs.usage import UsageRow, Used
from common.http.endpoints.usage import ADMIN_USAGE_ROUTES, TENANT_USAGE_ROUTES
from common.http.routing import RouteTable
from tests.fakes.clock import START, VirtualClock
from tests.fakes.usage import MemoryUsage
from tests.unit.http.site import ADMIN_KEY, Site, edge, key_of

TODAY = START.date()


class Services:
    """What the routes of usage stand on."""

    def __init__(self, rows: MemoryUsage, price: Decimal | None = Decimal("6.25")) -> None:
        self.edge = edge()
        self.usage = rows.report(VirtualClock(), price)


def a_row(tenant_id: str, day: date, pipeline_id: str, step_id: str, **used: int) -> UsageRow:
    return UsageRow(tenant_id=tenant_id, day=day, pipeline_id=pipeline_id, step_id=step_id, used=Used(**used))


@pytest.fixture
def rows() -> MemoryUsage:
    return MemoryUsage(
        [
            a_row("acme", TODAY, "daily", "one", runs=2, failures=1, jobs=3, bytes_billed=TEBIBYTE),
            a_row("acme", TODAY, "daily", "two", jobs=1, bytes_billed=TEBIBYTE, own_project_bytes_billed=7),
            a_row("acme", date(2020, 1, 1), "daily", "one", runs=1, jobs=1, bytes_billed=5),
            a_row("other", TODAY, "weekly", "one", runs=1, jobs=1, bytes_billed=TEBIBYTE * 4),
        ]
    )


def tenants(rows: MemoryUsage, query: str = "", price: Decimal | None = Decimal("6.25")) -> Any:
    site = Site[Any](RouteTable[Any](*TENANT_USAGE_ROUTES), Services(rows, price))
    return site.ask("GET", f"/api/v1/tenants/usage{query}", key=key_of("acme"))


def admins(rows: MemoryUsage, query: str = "") -> Any:
    site = Site[Any](RouteTable[Any](*ADMIN_USAGE_ROUTES), Services(rows))
    return site.ask("GET", f"/admin/usage{query}", headers={"X-Admin-Key": ADMIN_KEY})


def test_a_tenant_sees_its_own_use_of_this_month(rows: MemoryUsage) -> None:
    found = tenants(rows).get_json()
    assert (found["from"], found["to"]) == (TODAY.replace(day=1).isoformat(), TODAY.isoformat())
    (row,) = found["rows"]
    assert (row["tenant_id"], row["runs"], row["failures"], row["jobs"]) == ("acme", 2, 1, 4)
    assert (row["bytes_billed"], row["own_project_bytes_billed"], row["cost"]) == (TEBIBYTE * 2, 7, 12.5)
    assert found["total"]["cost"] == 12.5
    assert found["price"]["per_tebibyte"] == 6.25


def test_rows_are_told_apart_as_asked_and_a_step_has_its_pipeline(rows: MemoryUsage) -> None:
    found = tenants(rows, "?by=day,step").get_json()
    assert found["by"] == ["day", "pipeline", "step"]
    assert [(row["pipeline_id"], row["step_id"]) for row in found["rows"]] == [
        ("daily", "one"),
        ("daily", "two"),
    ]


def test_other_days_are_there_for_the_asking(rows: MemoryUsage) -> None:
    found = tenants(rows, "?from=2020-01-01&to=2020-01-31").get_json()
    assert [row["bytes_billed"] for row in found["rows"]] == [5]


def test_an_unknown_price_is_no_price_of_nought(rows: MemoryUsage) -> None:
    found = tenants(rows, price=None).get_json()
    assert found["total"]["cost"] is None
    assert found["rows"][0]["cost"] is None
    assert found["price"]["per_tebibyte"] is None


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("?from=2024-02-01&to=2024-01-01", "/query/to"),
        ("?from=2020-01-01&to=2024-01-01", "/query/from"),
        ("?by=week", "/query/by"),
        ("?from=2024-02-30", "/query/from"),
        ("?tenant_id=other", "/query/tenant_id"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_its_place(rows: MemoryUsage, query: str, place: str) -> None:
    answer = tenants(rows, query)
    assert answer.status_code == 422
    assert [one["pointer"] for one in answer.get_json()["errors"]] == [place]


def test_an_answer_is_whole_or_refused(rows: MemoryUsage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage, "MAX_ROWS", 1)
    answer = tenants(rows, "?by=step")
    assert answer.status_code == 422
    assert "more than 1 rows" in answer.text


def test_an_operator_sees_all_tenants_or_one(rows: MemoryUsage) -> None:
    assert [row["tenant_id"] for row in admins(rows).get_json()["rows"]] == ["acme", "other"]
    assert [row["tenant_id"] for row in admins(rows, "?tenant_id=other").get_json()["rows"]] == ["other"]


def test_an_invoice_reads_lines_of_csv(rows: MemoryUsage) -> None:
    answer = admins(rows, "?format=csv&by=pipeline")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    lines = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(line["tenant_id"], line["pipeline_id"], line["cost"]) for line in lines] == [
        ("acme", "daily", "12.500000"),
        ("other", "weekly", "25.000000"),
    ]
    assert {line["currency"] for line in lines} == {"USD"}
