"""Checks on a BigQuery that has rows: their verdicts, and that what fails is not published."""

import itertools
import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from common.quality.check_queries import CheckView
from common.times import utc_now
from common.warehouse.bigquery import Central
from tests.contract.warehouse.checked_runs import CheckedRuns
from tests.data_files import cases_in

PEERS = cases_in(Path(__file__).parent / "peer_checks.yml")
CHECKS = {f"{peer}_{name}"[:64]: one for peer, checks in PEERS.items() for name, one in checks.items()}
_numbers = itertools.count()


def a_tenant(central: Central) -> CheckedRuns:
    runs = CheckedRuns(central=central, tenant_id=f"checked_{next(_numbers)}")
    central.client.create_dataset(runs.tenant_id)
    return runs


@pytest.fixture
def runs(bootstrapped: Central) -> CheckedRuns:
    return a_tenant(bootstrapped)


# What other tools check


GOOD = """
    SELECT 1 AS id, 'a@x.io' AS email, 'open' AS status, 10 AS amount, 1 AS tax, 0.5 AS share,
      1 AS customer_id, 'north' AS region, 'x' AS note, CURRENT_DATE() AS ordered_on,
      CURRENT_TIMESTAMP() AS updated_at, 1 AS extra
    UNION ALL SELECT 2, 'b@x.io', 'paid', 20, 2, 0.25, 2, 'south', NULL,
      DATE_SUB(CURRENT_DATE(), INTERVAL 1 DAY), TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 1 DAY), 1
"""
BAD = """
    SELECT 1 AS id, 'a@x.io' AS email, 'lost' AS status, 10 AS amount, 11 AS tax, 1.0 AS share,
      7 AS customer_id, '' AS region, CAST(NULL AS INT64) AS note, DATE '1999-01-01' AS ordered_on,
      TIMESTAMP '1999-01-01 00:00:00+00' AS updated_at
    UNION ALL SELECT 1, 'a@x.io', 'paid', -5000, 2, 0.25, 7, '', NULL, DATE '1999-01-01', NULL
    UNION ALL SELECT 2, NULL, 'p4id', 5, 2, 0.25, NULL, '', NULL, NULL, NULL
    UNION ALL SELECT 3, NULL, 'open', 5, 2, 0.25, 1, '', NULL, NULL, NULL
    UNION ALL SELECT 4, 'nobody', 'open', 5, 2, 0.25, 1, '', NULL, NULL, NULL
"""


def table_of(name: str, query: str) -> dict[str, Any]:
    config = {"source_query": query, "target_table": name}
    return {"id": f"make_{name}", "ps_type": "bq_etl.query", "config": config}


def all_peers(table: str) -> dict[str, Any]:
    checks = [one["check"] | {"name": name, "severity": "warn"} for name, one in CHECKS.items()]
    return {"id": f"check_{table}", "ps_type": "dq.check", "config": {"table": table}, "checks": checks}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdicts:
    """What our checks say of a table, and whether the other tools' own queries find failing rows in it."""

    ours: dict[str, CheckView]
    theirs: dict[str, bool]


@pytest.fixture(scope="module")
def verdicts(bootstrapped: Central) -> dict[str, Verdicts]:
    runs = a_tenant(bootstrapped)
    customers = table_of("customers", "SELECT 1 AS id UNION ALL SELECT 2")
    steps = [customers, table_of("good", GOOD), table_of("bad", BAD), all_peers("good"), all_peers("bad")]
    document = json.dumps({"pipeline": {"name": "Peers"}, "steps": steps})
    run_id = runs.run(document)
    assert runs.end(run_id) == ("COMPLETED", "")
    found = runs.views.read_checks(runs.tenant_id, run_id, utc_now() - timedelta(days=1))
    return {
        table: Verdicts(
            ours={one.name: one for one in found if one.table == table}, theirs=asked_of_peers(runs, table)
        )
        for table in ("good", "bad")
    }


def asked_of_peers(runs: CheckedRuns, table: str) -> dict[str, bool]:
    """Ask whether there are rows that fail, as each of the other tools does."""
    words = {"table": f"{runs.tenant_id}.{table}", "name": table, "dataset": runs.tenant_id}
    selects = (
        f"SELECT '{name}' AS name, EXISTS ({one['failing'].format(**words)}) AS breaks"
        for name, one in CHECKS.items()
    )
    rows = runs.central.client.query_and_wait(" UNION ALL ".join(selects))
    return {row["name"]: row["breaks"] for row in rows}


@pytest.mark.parametrize("table", ["good", "bad"])
@pytest.mark.parametrize("name", CHECKS)
def test_a_check_of_another_tool_has_its_verdict_in_our_words(
    verdicts: dict[str, Verdicts], name: str, table: str
) -> None:
    breaks, ours = verdicts[table].theirs[name], verdicts[table].ours[name]
    assert breaks is (table == "bad")
    assert ours.status == ("WARNED" if breaks else "PASSED"), ours


# Published, or not


def orders(select: str, *checks: dict[str, Any], **more: Any) -> str:
    config = {"source_query": select, "target_table": "orders"} | more.pop("config", {})
    step = {"id": "orders", "ps_type": "bq_etl.query", "config": config, "checks": list(checks), **more}
    return json.dumps({"pipeline": {"name": "Orders"}, "steps": [step]})


NOT_NULL = {"type": "not_null", "column": "id"}


def make_orders(runs: CheckedRuns, select: str, layout: str = "") -> None:
    """Let the table be there before."""
    runs.central.client.query_and_wait(f"CREATE TABLE {runs.tenant_id}.orders {layout} AS {select}")


def test_rows_that_break_an_error_leave_the_table_as_it_was(runs: CheckedRuns) -> None:
    make_orders(runs, "SELECT 1 AS id")
    bad = runs.run(orders("SELECT CAST(NULL AS INT64) AS id", NOT_NULL))
    status, error = runs.end(bad)
    assert status == "FAILED"
    assert "1 of 1 checks of orders failed: not_null_id: 1 of 1 rows (100 %) have no id" in error
    assert runs.table("orders") == [(1,)]
    assert runs.checks(bad)["not_null_id"].status == "FAILED"


def test_a_warning_publishes_and_its_failing_rows_are_kept_masked(runs: CheckedRuns) -> None:
    select = "SELECT 1 AS id, 'a@x.io' AS email UNION ALL SELECT NULL, 'b@x.io'"
    run_id = runs.run(orders(select, NOT_NULL | {"severity": "warn"}, failing_rows={"mask": ["email"]}))
    assert runs.end(run_id) == ("COMPLETED", "")
    assert len(runs.table("orders")) == 2
    assert runs.checks(run_id)["not_null_id"].status == "WARNED"
    (kept,) = runs.table("dq_failing_rows")
    assert kept[2:6] == (run_id, "orders", "orders", "not_null_id")
    assert json.loads(kept[6]) == {"id": None, "email": "***"}


def test_rows_are_added_once_they_have_passed_and_may_bring_a_column(runs: CheckedRuns) -> None:
    config = {"write_disposition": "WRITE_APPEND"}
    runs.run(orders("SELECT 1 AS id", NOT_NULL, config=config))
    assert runs.table("orders") == [(1,)]
    more = config | {"schema_update": "add_columns"}
    run_id = runs.run(orders("SELECT 2 AS id, 'x' AS note", NOT_NULL, config=more))
    assert runs.end(run_id) == ("COMPLETED", "")
    assert runs.table("orders") == [(1, None), (2, "x")]
    assert [
        column.name for column in runs.jobs.found_columns(f"{runs.central.project}.{runs.tenant_id}.orders")
    ] == [
        "id",
        "note",
    ]


def test_one_partition_is_replaced_by_what_has_passed(runs: CheckedRuns) -> None:
    two_days = "SELECT DATE '2026-01-30' AS d, 1 AS id UNION ALL SELECT DATE '2026-01-31', 2"
    make_orders(runs, two_days, "PARTITION BY d")
    config = {"partitioning": {"field": "d"}, "partition": "${date}"}
    run_id = runs.run(orders("SELECT ${date} AS d, 3 AS id", NOT_NULL, config=config), "2026-01-30")
    assert runs.end(run_id) == ("COMPLETED", "")
    assert [number for _, number in runs.table("orders")] == [3, 2]


def test_a_table_keeps_its_layout_through_a_check(runs: CheckedRuns) -> None:
    laid_out = {"partitioning": {"field": "d"}, "clustering": ["id"]}
    select = "SELECT DATE '2026-01-31' AS d, 1 AS id"
    for config in (laid_out, {}):
        assert runs.end(runs.run(orders(select, NOT_NULL, config=config))) == ("COMPLETED", "")
    table = runs.central.client.get_table(f"{runs.tenant_id}.orders")
    assert table.time_partitioning.field == "d"
    assert table.clustering_fields == ["id"]


def test_a_repeated_delivery_writes_no_second_result(runs: CheckedRuns) -> None:
    message = runs.message(orders("SELECT 1 AS id", NOT_NULL))
    for _ in range(2):
        runs.deliver(message)
    found = runs.views.read_checks(runs.tenant_id, message.run.run_id, utc_now() - timedelta(days=1))
    assert [one.name for one in found] == ["not_null_id"]
    assert runs.table("orders") == [(1,)]


def test_a_count_is_held_against_earlier_runs_that_have_passed(runs: CheckedRuns) -> None:
    usual = {"type": "row_count", "max_change_percent": 50}
    ends = [
        runs.end(runs.run(orders(f"SELECT id FROM UNNEST(GENERATE_ARRAY(1, {n})) AS id", usual)))[0]
        for n in (10, 11, 12, 90)
    ]
    assert ends == ["COMPLETED", "COMPLETED", "COMPLETED", "FAILED"]
    assert len(runs.table("orders")) == 12
