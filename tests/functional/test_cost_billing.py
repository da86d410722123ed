"""The table of what Google Cloud costs: from an export with real columns to costs by service and day."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.functional.site import Site, Tenant, steps_of

EXAMPLE = Path(__file__).parents[2] / "ps_templates/gcp/cost_billing/example.yml"


def run(tenant: Tenant, config_id: str, day: str) -> dict[str, Any]:
    run_id = tenant.run(config_id, {"date": day})
    tenant.site.drain()
    status = tenant.status(run_id)
    assert status["status"] == "COMPLETED", status["error_message"]
    return status


def kept(tenant: Tenant, table: str) -> list[tuple[Any, ...]]:
    """Sum up what a table has, by day of the export."""
    rows = tenant.site.rows(
        "SELECT CAST(export_date AS STRING) AS day, COUNT(*) AS n, SUM(BilledCost) AS billed"
        f" FROM {tenant.tenant_id}.{table} GROUP BY day ORDER BY day"
    )
    return [tuple(row.values()) for row in rows]


def a_file(**config: Any) -> str:
    """Write a pipeline of one step which reads the export that the example has made."""
    step = {"source_table": "billing_export", "export_column": "export_time"} | config
    steps = [{"id": "keep", "ps_type": "gcp.cost_billing", "config": step}]
    return json.dumps({"pipeline": {"name": "Costs"}, "steps": steps})


@pytest.fixture(scope="module")
def tenant_with_costs(site: Site, tenant_of_session: Tenant) -> Tenant:
    """Let the tenant of many modules carry the example out, as it stands."""
    site.drain()
    saved = tenant_of_session.upload("cloud_costs", EXAMPLE.read_text(encoding="utf-8"))
    assert (saved.status_code, saved.get_json()["warnings"]) == (201, [])
    run(tenant_of_session, "cloud_costs", "2026-03-03")
    return tenant_of_session


def test_the_example_keeps_costs_and_sums_them_up_by_service_and_day(
    site: Site, tenant_with_costs: Tenant
) -> None:
    tenant = tenant_with_costs
    costs = site.rows(
        "SELECT CAST(usage_date AS STRING) AS day, ServiceName, cost, credits, billed"
        f" FROM {tenant.tenant_id}.costs_by_service_and_day ORDER BY day, ServiceName"
    )
    assert [tuple(row.values()) for row in costs] == [
        (day, *of_service)
        for day in ("2026-03-01", "2026-03-02", "2026-03-03")
        for of_service in (("BigQuery", 6.0, -1.5, 4.5), ("Compute Engine", 24.0, -6.0, 18.0))
    ]
    (row,) = site.rows(
        "SELECT ChargeCategory, SubAccountId, ResourceId, Tags, BillingPeriodEnd, labels, ListCost"
        f" FROM {tenant.tenant_id}.gcp_cost_billing WHERE sku_description = 'N1 Core' AND project_id = 'shop'"
        " AND usage_start_time = TIMESTAMP '2026-03-01 00:00:00+00'"
    )
    assert (row["ChargeCategory"], row["SubAccountId"], row["ListCost"]) == ("Usage", "shop", 5.0)
    assert row["ResourceId"] == "//compute.googleapis.com/projects/shop/instances/0"
    assert row["Tags"] == row["labels"] == [{"key": "env", "value": "shop"}]
    assert row["BillingPeriodEnd"].isoformat() == "2026-04-01T00:00:00+00:00"


def test_rows_that_come_late_are_taken_once_whatever_day_they_are_about(
    site: Site, tenant_with_costs: Tenant
) -> None:
    tenant, own = tenant_with_costs, tenant_with_costs.tenant_id
    export = f"{own}.late_export"
    site.rows(f"CREATE TABLE {export} AS SELECT * FROM {own}.billing_export")
    site.rows(
        f"CREATE TABLE {own}.late_costs PARTITION BY usage_date CLUSTER BY project_id, service_description"
        f" AS SELECT * FROM {own}.gcp_cost_billing"
    )
    config = {"source_table": "late_export", "target_table": "late_costs"}
    before = kept(tenant, "late_costs")
    assert [row[:2] for row in before] == [("2026-03-01", 12), ("2026-03-02", 12), ("2026-03-03", 12)]
    # A day later the export has a row about the first day, and one more of the day before.
    for usage, exported in (("2026-03-01 00", "2026-03-04 01"), ("2026-03-02 00", "2026-03-03 23")):
        site.rows(
            f"INSERT INTO {export} SELECT line.* REPLACE (TIMESTAMP '{exported}:00:00+00' AS export_time)"
            f" FROM {export} AS line WHERE usage_start_time = TIMESTAMP '{usage}:00:00+00'"
            " AND sku.description = 'Analysis' AND project.id = 'shop'"
        )
    assert tenant.upload("late_costs", a_file(**config, lookback_days=1)).status_code == 201
    for _ in range(2):
        site.bigquery.counts.reset()
        run(tenant, "late_costs", "2026-03-04")
        assert (site.bigquery.counts.jobs("cvg-step-"), site.bigquery.counts.dry_runs) == (2, 2)
        assert [row[:2] for row in kept(tenant, "late_costs")] == [
            ("2026-03-01", 12),
            ("2026-03-02", 12),
            ("2026-03-03", 13),
            ("2026-03-04", 1),
        ]


def test_a_bill_that_fails_its_checks_leaves_what_is_kept(site: Site, tenant_with_costs: Tenant) -> None:
    tenant, own = tenant_with_costs, tenant_with_costs.tenant_id
    site.rows(f"CREATE TABLE {own}.empty_export AS SELECT * FROM {own}.billing_export WHERE FALSE")
    steps = []
    for table, severity in (("failed_bill", "error"), ("warned_bill", "warn")):
        site.rows(
            f"CREATE TABLE {own}.{table} PARTITION BY usage_date CLUSTER BY project_id, service_description"
            f" AS SELECT * FROM {own}.gcp_cost_billing"
        )
        config = {"source_table": "empty_export", "export_column": "export_time", "target_table": table}
        checks = [{"type": "row_count", "min": 1, "severity": severity}]
        steps.append({"id": table, "ps_type": "gcp.cost_billing", "config": config, "checks": checks})
    saved = tenant.upload("checked_bills", json.dumps({"pipeline": {"name": "Checked"}, "steps": steps}))
    assert saved.status_code == 201, saved.text
    assert (before := kept(tenant, "gcp_cost_billing"))
    run_id = tenant.run("checked_bills", {"date": "2026-03-03"})
    site.drain()
    told = steps_of(tenant.status(run_id))
    ends = {step_id: (step["status"], step["checks"][0]["status"]) for step_id, step in told.items()}
    assert ends == {"failed_bill": ("FAILED", "FAILED"), "warned_bill": ("COMPLETED", "WARNED")}, told
    assert (kept(tenant, "failed_bill"), kept(tenant, "warned_bill")) == (before, [])


def test_an_export_of_another_is_read_by_nobody(common_tenant: Tenant) -> None:
    for table in ("victim.gcp_billing_export_v1_012345", "tenants.tenant_profiles", "other-project.b.export"):
        answer = common_tenant.upload("of_another", a_file(source_table=table))
        assert answer.status_code == 422
        assert "/steps/0/config/source_table" in answer.text
