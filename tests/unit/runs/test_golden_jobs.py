"""What each step type asks of BigQuery, by each of its strategies: golden jobs, and what the analyzer says.

`python -m tests.unit.runs.test_golden_jobs` writes the golden file anew, for somebody to read the difference.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from common.pipelines.codec import to_json
from common.pipelines.intervals import of_day, values_of
from common.pipelines.parameters import bind_parameters
from common.pipelines.pipeline import Pipeline
from common.pipelines.plans import CheckJob, QueryJob
from common.runs.level_messages import LevelMessage
from common.runs.ports import StepJob
from common.runs.step_jobs import Position, step_job
from local.googlesql import Analyzer
from tests.unit.pipelines.examples import PROJECT, STEP_TYPES, a_document, compiled
from tests.unit.runs.examples import a_run
from tests.unit.runs.resolved_jobs import resolved_job
from tests.unit.runs.test_incremental import STRATEGIES

GOLDEN = Path(__file__).with_name("jobs.golden.json")
DAY = date(2026, 3, 2)
ORDERS = {"order_id": "INT64", "order_date": "DATE", "region": "STRING", "amount": "NUMERIC"}
LABELS = "ARRAY<STRUCT<key STRING, value STRING>>"
STANDARD = {
    "billing_account_id": "STRING",
    "service": "STRUCT<id STRING, description STRING>",
    "sku": "STRUCT<id STRING, description STRING>",
    "usage_start_time": "TIMESTAMP",
    "usage_end_time": "TIMESTAMP",
    "project": f"STRUCT<id STRING, number STRING, name STRING, labels {LABELS}>",
    "labels": LABELS,
    "system_labels": LABELS,
    "location": "STRUCT<location STRING, country STRING, region STRING, zone STRING>",
    "export_time": "TIMESTAMP",
    "cost": "FLOAT64",
    "cost_at_list": "FLOAT64",
    "currency": "STRING",
    "currency_conversion_rate": "FLOAT64",
    "usage": "STRUCT<amount FLOAT64, unit STRING, amount_in_pricing_units FLOAT64, pricing_unit STRING>",
    "credits": "ARRAY<STRUCT<name STRING, amount FLOAT64, full_name STRING, id STRING, type STRING>>",
    "invoice": "STRUCT<month STRING>",
    "cost_type": "STRING",
    "_PARTITIONTIME": "TIMESTAMP",
}
"""The columns of Google's exports that are read, by the page that describes their tables."""
DETAILED = STANDARD | {"resource": "STRUCT<name STRING, global_name STRING>"}
EXPORT = "billing-project.billing.gcp_billing_export"
SOURCES: Mapping[str, Mapping[str, str]] = {
    f"{PROJECT}.acme.orders": ORDERS,
    f"{PROJECT}.acme.orders_eu": ORDERS,
    f"{EXPORT}_v1_0": STANDARD,
    f"{EXPORT}_resource_v1_0": DETAILED,
}
SELECT = "SELECT order_id, order_date, region, amount FROM ${tenant_id}.orders"
QUERY = {"source_query": f"{SELECT} WHERE order_date = ${{date}}", "target_table": "kept"}
BY_DAY = {"partitioning": {"field": "order_date", "expiration_days": 400}}
LOAD = {"uris": ["gs://acme-files/${date:%Y/%m}/*.csv"], "format": "csv", "target_table": "kept"}
EXTRACT = {"uris": "gs://acme-files/${tenant_id}/${date}/*.csv", "format": "csv"}
DIMENSION = {"source_query": SELECT, "target_table": "kept", "unique_key": ["order_id", "region"]}
CASES: dict[str, dict[str, Any]] = {
    "bq_etl.query": QUERY,
    "bq_etl.query, appended, new columns": QUERY
    | {"write_disposition": "WRITE_APPEND", "schema_update": "add_columns"}
    | BY_DAY,
    "bq_etl.query, one partition": QUERY | {"partition": "${date}"} | BY_DAY,
    "bq_etl.view": {"source_query": SELECT, "target_table": "kept"},
    "bq_etl.copy": {"source_tables": ["orders", "${tenant_id}.orders_eu"], "target_table": "kept"},
    "bq_etl.copy, appended": {
        "source_tables": ["orders"],
        "target_table": "kept",
        "write_disposition": "WRITE_APPEND",
    },
    "bq_etl.snapshot": {"source_table": "orders", "target_table": "kept_", "retention_days": 30},
    "bq_etl.load": LOAD,
    "bq_etl.load, all": LOAD | {"mode": "all", "write_disposition": "WRITE_EMPTY"},
    "bq_etl.load, one partition": LOAD | {"mode": "replace_partition", "partition": "${date}"} | BY_DAY,
    "bq_etl.extract": EXTRACT | {"source_table": "orders", "compression": "GZIP", "delimiter": ";"},
    "bq_etl.extract of a query": EXTRACT | {"source_query": f"{SELECT} WHERE order_date = ${{date}}"},
    "bq_etl.scd2": DIMENSION,
    "bq_etl.scd2, closed": DIMENSION | {"hard_deletes": "close"},
    "gcp.cost_billing": {"source_table": f"{EXPORT}_v1_0"},
    "gcp.cost_billing, detailed": {"source_table": f"{EXPORT}_resource_v1_0", "export": "detailed"},
    "dq.check": {"table": "orders", "where": "order_date = ${date}"},
}
CHECKS = {"dq.check": [{"type": "row_count", "min": 1}, {"type": "unique", "columns": ["order_id"]}]}


def pipeline_of(case: str) -> Pipeline:
    """Compile the one step of a case; what follows a comma or an `of` says how it differs."""
    ps_type = case.partition(",")[0].partition(" ")[0]
    checks = {"checks": CHECKS[ps_type]} if ps_type in CHECKS else {}
    return compiled(a_document({"id": "work", "ps_type": ps_type, "config": CASES[case]} | checks))


def jobs_of(case: str) -> Iterator[StepJob]:
    """List the jobs of a case as BigQuery is asked for them; a history's first and later ones."""
    pipeline = pipeline_of(case)
    (step,) = pipeline.steps
    run_time = of_day(DAY, pipeline.timezone)
    values = values_of(pipeline.parameters, run_time, pipeline.timezone, {})
    run = a_run(
        interval=run_time.interval,
        run_date=DAY,
        parameters=bind_parameters(pipeline.parameters, values, DAY),
    )
    message = LevelMessage(run=run, pipeline=pipeline, level=1)
    for number, job in enumerate(step.jobs):
        if isinstance(job, QueryJob) and job.on_schema_change:
            made = ORDERS | {"valid_from": "TIMESTAMP", "valid_to": "TIMESTAMP"}
            yield resolved_job(pipeline, step, ORDERS, is_there=False)
            yield resolved_job(pipeline, step, ORDERS, table=made)
        else:
            yield step_job(message, step, Position(job=number))


def told(job: StepJob) -> dict[str, Any]:
    """Say what a job asks for: its statements by lines, and its parameters with their values."""
    body: dict[str, Any] = to_json(job.work)
    texts = {name: body[name].split("\n") for name in ("sql", "first_sql") if body.get(name)}
    parameters = {one.name: [one.type, one.value] for one in job.parameters}
    return body | texts | ({"parameters": parameters} if parameters else {}) | {"job_id": job.job_id}


@pytest.mark.parametrize("case", CASES)
def test_each_type_asks_for_its_golden_jobs(case: str) -> None:
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    assert [told(job) for job in jobs_of(case)] == golden[case]


@pytest.mark.parametrize("case", CASES)
def test_each_statement_is_what_bigquery_accepts_and_of_the_type_that_is_said(case: str) -> None:
    tables = dict(SOURCES)
    for job in jobs_of(case):
        if not isinstance(job.work, QueryJob | CheckJob):
            continue
        analyzer = Analyzer(tables, default_dataset=f"{PROJECT}.acme")
        analysis = analyzer.analyze(job.work.sql, {one.name: one.type for one in job.parameters})
        expected = job.work.statement_type.value if isinstance(job.work, QueryJob) else "SELECT"
        assert analysis.kind == expected.replace("SELECT", "QUERY")
        if analysis.kind == "QUERY" and job.work.destination:
            tables[f"{PROJECT}.acme.{job.work.destination}"] = dict(analysis.columns)


def test_each_job_of_each_type_is_in_a_case() -> None:
    given = [(case.partition(",")[0].partition(" ")[0], config) for case, config in CASES.items()]
    given += [
        ("bq_etl.incremental", {"strategy": name.split(maxsplit=1)[0], **config})
        for name, config in STRATEGIES.items()
    ]
    for name, step_type in STEP_TYPES.by_name.items():
        configs = [step_type.config(config) for ps_type, config in given if ps_type == name]
        assert configs, f"{name} is in no case"
        for template in step_type.jobs:
            assert any(template.is_wanted(config) for config in configs), f"{name}: {template.when}"


if __name__ == "__main__":
    found = {case: [told(job) for job in jobs_of(case)] for case in CASES}
    GOLDEN.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
