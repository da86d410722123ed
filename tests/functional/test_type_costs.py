"""What a step of each type takes: the table of docs/exactly-once.md, counted at the local BigQuery's door."""

import json
from typing import Any

import pytest
import yaml

from common.pipelines.step_types import TEMPLATES
from local.platform import OPEN_BUCKET
from tests.functional.promises import costs_of_steps
from tests.functional.site import Site, Tenant
from tests.unit.pipelines.examples import STEP_TYPES

DAY = "2026-03-01"
NO_STEPS = ("tenants", "cvg-cancel-", "cvg-queue-")
"""What is asked about that is no step's: the central dataset, flags, the queue."""
WAITS = ("jobs.get", "jobs.getQueryResults")
FILES = f"gs://{OPEN_BUCKET}/${{tenant_id}}"
KEPT: dict[str, Any] = {"source_query": "SELECT id, v FROM src", "target_table": "kept"}
MORE: dict[str, Any] = {"source_query": "SELECT id, v, 1 AS n FROM src", "on_schema_change": "append_columns"}
BY_KEY = KEPT | {"unique_key": ["id"]}
MERGE = BY_KEY | {"strategy": "merge"}
ID = [{"name": "id", "type": "INT64"}]
LOAD = {"uris": f"{FILES}/*.csv", "format": "csv", "target_table": "loaded", "schema": ID}
OUT = {"uris": f"{FILES}/out-*.json", "format": "json"}
COSTS = {"source_table": "billing_export", "export": "detailed", "export_column": "export_time"}
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "`bq_etl.query`": ("bq_etl.query", KEPT),
    "`bq_etl.incremental` or `bq_etl.scd2`, the first run": ("bq_etl.incremental", MERGE),
    "`bq_etl.incremental` or `bq_etl.scd2`": ("bq_etl.incremental", MERGE),
    "`bq_etl.incremental` that adds columns": ("bq_etl.incremental", MERGE | MORE),
    "`bq_etl.view`": ("bq_etl.view", {"source_query": "SELECT 1 AS id", "target_table": "seen"}),
    "`bq_etl.copy`": ("bq_etl.copy", {"source_tables": ["src"], "target_table": "copied"}),
    "`bq_etl.snapshot`": (
        "bq_etl.snapshot",
        {"source_table": "src", "target_table": "src_", "retention_days": 1},
    ),
    "`bq_etl.load`, the first of a dataset": ("bq_etl.load", LOAD),
    "`bq_etl.load`": ("bq_etl.load", LOAD),
    "`bq_etl.extract`": ("bq_etl.extract", OUT | {"source_table": "src"}),
    "`bq_etl.extract` of a query": ("bq_etl.extract", OUT | {"source_query": "SELECT id FROM src"}),
    "`gcp.cost_billing`": ("gcp.cost_billing", COSTS),
    "`dq.check`": ("dq.check", {"table": "src"}),
}
AS_WELL = {
    "`bq_etl.incremental` or `bq_etl.scd2`, the first run": ("bq_etl.scd2", BY_KEY),
    "`bq_etl.incremental` or `bq_etl.scd2`": ("bq_etl.scd2", BY_KEY),
}
"""Types that take as many of all as the one beside them."""
BEFORE: dict[str, dict[str, Any]] = {
    "`bq_etl.incremental` or `bq_etl.scd2`": {},
    "`bq_etl.incremental` that adds columns": KEPT | {"on_schema_change": "fail"},
    "`bq_etl.load`": {},
}
"""Cases that have had a run before, and how its config was another."""


def counted(site: Site, tenant: Tenant, ps_type: str, config: dict[str, Any]) -> tuple[int, int, int]:
    """Run one step; count its jobs, its dry runs, and the requests about it."""
    checks = {"checks": [{"type": "row_count", "min": 1}]} if ps_type == "dq.check" else {}
    step = {"id": "work", "ps_type": ps_type, "config": config} | checks
    saved = tenant.upload("one", json.dumps({"pipeline": {"name": "One"}, "steps": [step]}))
    assert saved.status_code < 300, saved.text
    run_id = tenant.run("one", {"date": DAY})
    counts = site.bigquery.counts
    counts.reset()
    site.drain()
    found = (
        counts.jobs("cvg-step-"),
        counts.dry_runs,
        sum(
            count
            for (method, about), count in counts.subjects.items()
            if method not in WAITS and not about.startswith(NO_STEPS)
        ),
    )
    status = tenant.status(run_id)
    assert status["status"] == "COMPLETED", status["error_message"]
    return found


@pytest.mark.parametrize("case", CASES)
def test_a_step_takes_what_the_page_says(site: Site, tenant: Tenant, case: str) -> None:
    site.rows(f"CREATE TABLE {tenant.tenant_id}.src AS SELECT 1 AS id, 'a' AS v")
    if case == "`gcp.cost_billing`":
        example = yaml.safe_load((TEMPLATES / "gcp/cost_billing/example.yml").read_text(encoding="utf-8"))
        counted(site, tenant, "bq_etl.query", example["steps"][0]["config"])
    folder = site.buckets / OPEN_BUCKET / tenant.tenant_id
    folder.mkdir(parents=True)
    (folder / "a.csv").write_text("1\n")
    for ps_type, config in (CASES[case], *([AS_WELL[case]] if case in AS_WELL else [])):
        target = {"target_table": f"of_{ps_type.partition('.')[2]}"} if case in AS_WELL else {}
        if case in BEFORE:
            counted(site, tenant, ps_type, config | BEFORE[case] | target)
            (folder / "b.csv").write_text("2\n")
        found = counted(site, tenant, ps_type, config | target)
        promised = costs_of_steps()[case]
        told = [
            f"{count} {promise.what}, {promise.how_many}"
            for count, promise in zip(found, promised, strict=True)
        ]
        kept = [promise.is_kept_by(count, {}) for count, promise in zip(found, promised, strict=True)]
        assert all(kept), f"{ps_type}: {told}"


def test_the_page_says_what_each_type_takes() -> None:
    assert costs_of_steps().keys() == CASES.keys()
    assert {ps_type for ps_type, _ in (*CASES.values(), *AS_WELL.values())} == STEP_TYPES.by_name.keys()
