"""Pipelines of the user's own: what is refused at upload, what runs, what fails and how it is told."""

import re

import pytest
from google.cloud import bigquery

from tests.e2e.platforms import ROOT, RunningPlatform
from tests.e2e.tenants import Tenant, ask, query_step, steps_of

YAML = """\
pipeline:
  name: Sales by region
parameters:
  regions: {type: ARRAY<STRING>, default: [eu]}
steps:
  - id: report
    ps_type: bq_etl.query
    config:
      source_query: >
        SELECT region, SUM(amount) AS amount FROM sales
        WHERE region IN UNNEST(${regions}) GROUP BY region
      target_table: report
  - id: load
    ps_type: bq_etl.query
    config:
      source_query: SELECT 'eu' AS region, 3 AS amount UNION ALL SELECT 'us', 4
      target_table: ${tenant_id}.sales
"""


def test_yaml_is_uploaded_as_it_is_and_its_order_follows_from_its_tables(
    tenant: Tenant, tables: bigquery.Client
) -> None:
    saved = tenant.ask("POST", "/api/v1/pipelines/configs/sales", YAML)
    assert saved.status == 201
    assert saved.body["levels"] == [["load"], ["report"]]
    tenant.completed("sales", {"regions": ["us"]})
    (row,) = tables.query_and_wait(f"SELECT * FROM {tenant.id}.report")
    assert dict(row.items()) == {"region": "us", "amount": 4}


def test_the_readmes_pipeline_is_taken_as_it_stands(tenant: Tenant) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```yaml\n(.*?)^```", readme, re.DOTALL | re.MULTILINE)
    saved = tenant.ask("POST", "/api/v1/pipelines/configs/daily_sales", block)
    assert saved.status == 201, saved.body
    assert saved.body["levels"] == [["receive_orders"], ["clean_orders"], ["sum_up"]]


def test_all_violations_of_a_file_are_told_at_once_with_their_places(tenant: Tenant) -> None:
    steps = [
        query_step("a", "SELECT 1 AS one", "t", colour="red"),
        query_step("a", "DELETE FROM t WHERE TRUE", "elsewhere.t"),
    ]
    answer = tenant.ask("POST", "/api/v1/pipelines/configs/p", {"pipeline": {"name": "p"}, "steps": steps})
    assert answer.status == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    pointers = {fault["pointer"] for fault in answer.body["errors"]}
    assert len(pointers) > 1
    assert all(pointer.startswith("/steps/") for pointer in pointers)


def test_yaml_that_lost_its_line_breaks_is_told_how_to_keep_them(tenant: Tenant) -> None:
    answer = tenant.ask("POST", "/api/v1/pipelines/configs/sales", YAML.replace("\n", ""))
    assert answer.status == 400
    assert "--data-binary" in str(answer.body["errors"])


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/pipelines/status/unknown", 404),
        ("POST", "/api/v1/pipelines/run/unknown", 404),
        ("GET", "/api/v1/pipelines/no-such-path", 404),
        ("DELETE", "/api/v1/pipelines/history", 405),
    ],
)
def test_a_wrong_request_is_answered_with_a_problem(
    tenant: Tenant, method: str, path: str, status: int
) -> None:
    answer = tenant.ask(method, path, {} if method == "POST" else None)
    assert answer.status == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.body["status"] == status


def test_a_request_without_a_key_is_told_where_it_goes(platform: RunningPlatform) -> None:
    answer = ask(platform.url, "GET", "/api/v1/pipelines/history")
    assert answer.status == 401
    assert "X-API-Key" in answer.body["detail"]


def test_a_path_of_nobody_is_a_problem_too(platform: RunningPlatform) -> None:
    answer = ask(platform.url, "GET", "/nowhere")
    assert answer.status == 404
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_failed_step_stops_the_levels_after_it_and_says_why(tenant: Tenant) -> None:
    tenant.upload(
        "fails",
        query_step("good", "SELECT 1 AS one", "ones"),
        query_step("bad", "SELECT 1 / (1 - one) AS impossible FROM ones", "impossible"),
        query_step("later", "SELECT * FROM impossible", "never"),
    )
    status = tenant.ended(tenant.run("fails"))
    good, bad, later = steps_of(status)
    assert status["status"] == "FAILED"
    assert "step bad" in status["error_message"]
    assert [good["status"], bad["status"], later["status"]] == ["COMPLETED", "FAILED", "SKIPPED"]
    assert bad["error_message"]
    assert bad["job_id"].startswith("cvg-step-")


def test_an_idempotency_key_makes_two_requests_one_run(tenant: Tenant) -> None:
    tenant.upload("once", query_step("a", "SELECT 1 AS one", "ones"))
    run_id = tenant.run("once", Idempotency_Key="nightly")
    again = tenant.ask("POST", "/api/v1/pipelines/run/once", {}, Idempotency_Key="nightly")
    assert (again.status, again.body["pipeline_logging_id"]) == (200, run_id)
    assert tenant.ended(run_id)["status"] == "COMPLETED"
    history = tenant.ask("GET", "/api/v1/pipelines/history?pipeline_id=once").body["runs"]
    assert [run["pipeline_logging_id"] for run in history] == [run_id]


def test_a_step_types_example_runs_as_it_stands(tenant: Tenant, tables: bigquery.Client) -> None:
    text = (ROOT / "ps_templates/bq_etl/query/example.yml").read_text(encoding="utf-8")
    saved = tenant.ask("POST", "/api/v1/pipelines/configs/daily_sales", text)
    assert (saved.status, saved.body["warnings"]) == (201, [])
    tenant.completed("daily_sales", {"date": "2026-03-01"})
    rows = tables.query_and_wait(
        f"SELECT region, orders, amount FROM {tenant.id}.daily_sales ORDER BY region"
    )
    assert [tuple(row.values()) for row in rows] == [("eu", 2, 165), ("us", 1, 80)]


EXAMPLES = {
    "incremental": (
        "order_history",
        "SELECT region, orders FROM {}.sales_by_day ORDER BY 1",
        [("eu", 2), ("us", 1)],
    ),
    "scd2": (
        "customer_history",
        "SELECT customer_id, city FROM {}.customer_history ORDER BY 1",
        [(1, "Oslo"), (2, "Rome")],
    ),
    "view": ("sales_view", "SELECT region, amount FROM {}.large_regions", [("eu", 165)]),
    "check": ("trusted_orders", "SELECT region, amount FROM {}.sales ORDER BY 1", [("eu", 165), ("us", 80)]),
    "copy": ("collect_regions", "SELECT order_id FROM {}.collected_orders ORDER BY 1", [(1,), (2,)]),
    "snapshot": ("keep_orders", "SELECT order_id FROM {}.changing_orders_20260301", [(1,)]),
}


def test_the_other_types_examples_run_as_they_stand(tenant: Tenant, tables: bigquery.Client) -> None:
    for name, (pipeline, _, _) in EXAMPLES.items():
        (example,) = ROOT.glob(f"ps_templates/*/{name}/example.yml")
        text = example.read_text(encoding="utf-8")
        assert tenant.ask("POST", f"/api/v1/pipelines/configs/{pipeline}", text).status == 201
    runs = {name: tenant.run(pipeline, {"date": "2026-03-01"}) for name, (pipeline, _, _) in EXAMPLES.items()}
    assert {name: tenant.ended(run)["status"] for name, run in runs.items()} == dict.fromkeys(
        EXAMPLES, "COMPLETED"
    )
    for name, (_, sql, rows) in EXAMPLES.items():
        found = tables.query_and_wait(sql.format(tenant.id))
        assert [tuple(row.values()) for row in found] == rows, name
    refused = tenant.ask("POST", "/api/v1/pipelines/run/order_history", {"full_refresh": True})
    assert refused.status == 422


def test_chosen_steps_run_alone_and_a_retry_is_told_of_both_ways(tenant: Tenant) -> None:
    tenant.upload(
        "parts",
        query_step("load", "SELECT 1 AS one", "ones", write_disposition="WRITE_APPEND"),
        query_step("divide", "SELECT 1 / (1 - one) AS impossible FROM ones", "impossible"),
        query_step("report", "SELECT COUNT(*) AS many FROM ones", "counted"),
    )
    tenant.completed("parts", {"steps": ["report"], "upstream": True})
    run_id = tenant.run("parts", {"steps": ["divide"]})
    failed = tenant.ended(run_id)
    assert (failed["status"], failed["left_out"]) == ("FAILED", ["load", "report"])
    assert [step["step_id"] for step in steps_of(failed)] == ["divide"]
    retried = tenant.ask("POST", f"/api/v1/pipelines/retry/{run_id}").body
    again = tenant.ended(retried["pipeline_logging_id"])
    assert (retried["retry_of"], again["retry_of"], again["left_out"]) == (run_id, run_id, ["load", "report"])
    assert tenant.ended(run_id)["retried_by"] == [again["pipeline_logging_id"]]
    told = tenant.ask("GET", "/api/v1/pipelines/history?pipeline_id=parts").body["runs"]
    assert [run["left_out"] for run in told] == [["load", "report"], ["load", "report"], ["divide"]]
    assert told[1]["retried_by"] == [told[0]["pipeline_logging_id"]]
    unknown = tenant.ask("POST", "/api/v1/pipelines/run/parts", {"steps": ["laod"]})
    assert unknown.status == 422
    assert unknown.body["errors"] == [
        {"pointer": "/steps/0", "rule": "no step has the ID laod; did you mean load?"}
    ]
