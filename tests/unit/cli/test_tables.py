"""`tables` and `show`."""

import json
from typing import Any

from tests.unit.cli.conftest import Convergence
from tests.unit.client.server import ScriptedPlatform

COLUMNS: list[dict[str, Any]] = [
    {"name": "region", "type": "STRING", "mode": "NULLABLE", "description": None, "fields": []},
    {"name": "amounts", "type": "INT64", "mode": "REPEATED", "description": None, "fields": []},
]
ORDERS = {
    "table": "orders",
    "kind": "TABLE",
    "is_platforms": False,
    "rows": 1234,
    "bytes": 2048,
    "columns": COLUMNS,
    "created_at": "2024-01-18T09:00:00.000000Z",
    "changed_at": "2024-01-18T10:00:00.000000Z",
    "expires_at": None,
    "last_written": {
        "pipeline_id": "daily",
        "step_id": "extract",
        "pipeline_logging_id": "r-1",
        "written_at": "2024-01-18T10:00:00.000000Z",
    },
}
VIEW = (
    ORDERS
    | {"table": "seen", "kind": "VIEW", "is_platforms": True, "rows": None, "bytes": None}
    | {"last_written": None}
)
ROWS = {
    "table": "orders",
    "columns": COLUMNS,
    "total_rows": 1234,
    "is_complete": False,
    "rows": [{"region": "north\x1b[2J", "amounts": [1, 2]}, {"region": None, "amounts": []}],
}


def test_tables_of_all_pages_are_listed(convergence: Convergence, here: ScriptedPlatform) -> None:
    here.answer(200, {"tables": [ORDERS], "next_after": "orders"})
    here.answer(200, {"tables": [VIEW], "next_after": None})
    outcome = convergence("tables")
    assert [asked.target for asked in here.asked] == [
        "/api/v1/pipelines/tables",
        "/api/v1/pipelines/tables?after=orders",
    ]
    heading, orders, view = outcome.out.splitlines()
    assert heading.split()[:3] == ["Table", "Kind", "Rows"]
    assert orders.split() == [
        "orders",
        "TABLE",
        "1,234",
        "2.0",
        "KiB",
        "2",
        "2024-01-18",
        "10:00:00",
        "daily/extract",
    ]
    assert view.split() == ["seen", "VIEW", "2", "2024-01-18", "10:00:00", "the", "platform"]


def test_rows_are_shown_as_columns_and_steer_no_terminal(
    convergence: Convergence, here: ScriptedPlatform
) -> None:
    here.answer(200, ROWS)
    outcome = convergence("show", "sales 2024", "--limit", "2")
    assert here.asked[0].target == "/api/v1/pipelines/tables/sales%202024/rows?limit=2"
    assert outcome.out.splitlines()[0].split() == ["region", "STRING", "amounts", "ARRAY<INT64>"]
    assert "\x1b" not in outcome.out
    assert "[1, 2]" in outcome.out
    assert outcome.error == "2 of 1,234 rows\n"


def test_rows_are_the_apis_own_members_as_json(convergence: Convergence, here: ScriptedPlatform) -> None:
    here.answer(200, ROWS)
    assert json.loads(convergence("show", "orders", "--json").out) == ROWS


def test_a_table_is_deleted_once_it_is_agreed_to(convergence: Convergence, here: ScriptedPlatform) -> None:
    assert convergence("tables", "delete", "orders").code == 2
    assert here.asked == []
    here.answer(204, b"")
    assert convergence("tables", "delete", "orders", "--yes").out == "orders is deleted\n"
    assert (here.asked[0].method, here.asked[0].target) == ("DELETE", "/api/v1/pipelines/tables/orders")
