"""What a step of each type takes: the table of docs/exactly-once.md, counted at the local BigQuery's door."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from common.pipelines.step_types import TEMPLATES
from local.platform import OPEN_BUCKET
from tests.functional.promises import costs_of_steps
from tests.functional.site import Site, Tenant, steps_of
from tests.unit.pipelines.examples import STEP_TYPES

DAY = "2026-03-01"
NO_STEPS = ("tenants", "cvg-cancel-", "cvg-queue-")
"""What is asked about that is no step's: the central dataset, flags, the queue."""
WAITS = ("jobs.get", "jobs.getQueryResults")
FILES = f"gs://{OPEN_BUCKET}/${{tenant_id}}"
KEPT: dict[str, Any] = {"source_query": "SELECT id, v FROM src", "target_table": "kept"}
MORE: dict[str, Any] = {"source_query": "SELECT id, v, 1 AS n FROM src", "on_schema_change": "append_columns"}
BY_KEY = KEPT | {"unique_key": ["id"]}
MERGE = BY_KEY | {"target_table": "merged", "strategy": "merge"}
ID = [{"name": "id", "type": "INT64"}]
LOAD = {"uris": f"{FILES}/*.csv", "format": "csv", "target_table": "loaded", "schema": ID}
OUT = {"uris": f"{FILES}/out-*.json", "format": "json"}
COSTS = {"source_table": "billing_export", "export": "detailed", "export_column": "export_time"}
RUNS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "bq_etl.query": [("`bq_etl.query`", KEPT | {"target_table": "queried"})],
    "bq_etl.incremental": [
        ("`bq_etl.incremental` or `bq_etl.scd2`, the first run", MERGE),
        ("`bq_etl.incremental` or `bq_etl.scd2`", MERGE),
        ("`bq_etl.incremental` that adds columns", MERGE | MORE),
    ],
    "bq_etl.scd2": [
        ("`bq_etl.incremental` or `bq_etl.scd2`, the first run", BY_KEY),
        ("`bq_etl.incremental` or `bq_etl.scd2`", BY_KEY),
    ],
    "bq_etl.view": [("`bq_etl.view`", {"source_query": "SELECT 1 AS id", "target_table": "seen"})],
    "bq_etl.copy": [("`bq_etl.copy`", {"source_tables": ["src"], "target_table": "copied"})],
    "bq_etl.snapshot": [
        ("`bq_etl.snapshot`", {"source_table": "src", "target_table": "src_", "retention_days": 1})
    ],
    "bq_etl.load": [("`bq_etl.load`, the first of a dataset", LOAD), ("`bq_etl.load`", LOAD)],
    "bq_etl.extract": [
        ("`bq_etl.extract`", OUT | {"source_table": "src"}),
        ("`bq_etl.extract` of a query", OUT | {"source_query": "SELECT id FROM src"}),
    ],
    "gcp.cost_billing": [("`gcp.cost_billing`", COSTS)],
    "dq.check": [("`dq.check`", {"table": "src"})],
}
"""One run after the other of each type: the words of the page, and the step's config."""


@pytest.fixture(scope="module")
def stocked(site: Site, tenant_of_module: Tenant) -> Tenant:
    """Give the tenant of the module a table and an export of costs to read."""
    own = tenant_of_module.tenant_id
    site.rows(f"CREATE TABLE {own}.src AS SELECT 1 AS id, 'a' AS v")
    example = yaml.safe_load((TEMPLATES / "gcp/cost_billing/example.yml").read_text(encoding="utf-8"))
    export = example["steps"][0]["config"]["source_query"].replace("${date}", f"DATE '{DAY}'")
    site.rows(f"CREATE TABLE {own}.billing_export AS {export}")
    return tenant_of_module


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What is told of a step, and its jobs, its dry runs and the requests about it."""

    step: dict[str, Any]
    counts: tuple[int, int, int]


@pytest.fixture(scope="module")
def taken(site: Site, stocked: Tenant) -> Mapping[str, Taken]:
    """Let one run carry out all of these, a level each, and count what each level asks for."""
    site.drain()
    stocked.files.mkdir(parents=True, exist_ok=True)
    steps: list[dict[str, Any]] = []
    for ps_type, runs in RUNS.items():
        for number, (_, config) in enumerate(runs, start=1):
            checks = {"checks": [{"type": "row_count", "min": 1}]} if ps_type == "dq.check" else {}
            before = {"depends_on": [steps[-1]["id"]]} if steps else {}
            step_id = step_named(ps_type, number)
            steps.append({"id": step_id, "ps_type": ps_type, "config": config} | checks | before)
    saved = stocked.upload("all_types", json.dumps({"pipeline": {"name": "All types"}, "steps": steps}))
    assert saved.status_code == 201, saved.text
    run_id, counts = stocked.run("all_types", {"date": DAY}), {}
    for number, step in enumerate(steps):
        (stocked.files / f"{number}.csv").write_text(f"{number}\n")  # Loads find a file that is new to them.
        site.bigquery.counts.reset()
        for message in site.take_levels():
            site.deliver_until_acknowledged(message)
        counts[step["id"]] = counted(site)
    told = steps_of(stocked.status(run_id))
    return {step_id: Taken(step=told[step_id], counts=counts[step_id]) for step_id in counts}


def step_named(ps_type: str, number: int) -> str:
    return f"{ps_type.replace('.', '_')}_{number}"


def counted(site: Site) -> tuple[int, int, int]:
    """Count jobs and dry runs of steps, and the requests about them."""
    counts = site.bigquery.counts
    requests = sum(
        count
        for (method, about), count in counts.subjects.items()
        if method not in WAITS and not about.startswith(NO_STEPS)
    )
    return counts.jobs("cvg-step-"), counts.dry_runs, requests


@pytest.mark.parametrize("ps_type", RUNS)
def test_a_step_takes_what_the_page_says(taken: Mapping[str, Taken], ps_type: str) -> None:
    for number, (words, _) in enumerate(RUNS[ps_type], start=1):
        found = taken[step_named(ps_type, number)]
        assert (found.step["status"], found.step["error_message"]) == ("COMPLETED", None), words
        promised = costs_of_steps()[words]
        told = [
            f"{count} {promise.what}, {promise.how_many}"
            for count, promise in zip(found.counts, promised, strict=True)
        ]
        kept = [promise.is_kept_by(count, {}) for count, promise in zip(found.counts, promised, strict=True)]
        assert all(kept), f"{words}, {ps_type}: {told}"


def test_the_page_says_what_each_type_takes() -> None:
    assert costs_of_steps().keys() == {words for runs in RUNS.values() for words, _ in runs}
    assert RUNS.keys() == STEP_TYPES.by_name.keys()
