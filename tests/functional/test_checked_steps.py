"""Steps with checks through the functions themselves: what they cost, whose account acts, who reads what."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from common.pipelines.firewall import Judgement
from local.platform import OPEN_BUCKET
from tests.functional.environment import THEIRS
from tests.functional.promises import rows_of_table
from tests.functional.site import Site, Tenant
from tests.functional.test_attacks import localized
from tests.functional.test_credential_steps import ORDERS, Customer, customer  # noqa: F401 - a fixture

HERE = Path(__file__).parent
ATTACKS = yaml.safe_load((HERE.parent / "unit/pipelines/check_attacks.yml").read_text(encoding="utf-8"))
GOOD = [{"type": "row_count", "min": 1}]
BAD = [{"type": "row_count", "min": 1000}]
EXPORT = HERE.parents[1] / "ps_templates/gcp/cost_billing/example.yml"


def a_file(*steps: dict[str, Any]) -> str:
    return json.dumps({"pipeline": {"name": "Checked"}, "steps": [*steps]})


def a_step(ps_type: str, checks: list[dict[str, Any]], **config: Any) -> dict[str, Any]:
    return {"id": "work", "ps_type": ps_type, "config": config, "checks": checks}


def run(tenant: Tenant, *steps: dict[str, Any], day: str = "2026-03-03") -> dict[str, Any]:
    """Carry a pipeline of these steps out, and return what is told of the run."""
    answer = tenant.upload("checked", a_file(*steps))
    assert answer.status_code < 300, answer.text
    run_id = tenant.run("checked", {"date": day})
    tenant.site.drain()
    return tenant.status(run_id)


def completed(tenant: Tenant, *steps: dict[str, Any]) -> dict[str, Any]:
    status = run(tenant, *steps)
    assert status["status"] == "COMPLETED", status["error_message"]
    return status


def step_of(status: dict[str, Any]) -> dict[str, Any]:
    """Return what is told of the one step of a run."""
    ((step,),) = (level["steps"] for level in status["levels"])
    told: dict[str, Any] = step
    return told


def count(tenant: Tenant, table: str) -> int:
    (row,) = tenant.site.rows(f"SELECT COUNT(*) AS n FROM {tenant.tenant_id}.{table}")
    return int(row["n"])


# What they cost


QUERY = {"source_query": "SELECT n FROM src", "target_table": "t"}
STEPS: dict[str, dict[str, Any]] = {
    "bq_etl.query": QUERY,
    "bq_etl.load": {
        "uris": f"gs://{OPEN_BUCKET}/{{tenant}}/*.csv",
        "format": "csv",
        "target_table": "t",
        "header_rows": 1,
        "schema": [{"name": "n", "type": "INT64"}],
    },
    "bq_etl.incremental": QUERY | {"strategy": "merge", "unique_key": ["n"]},
    "bq_etl.scd2": QUERY | {"unique_key": ["n"]},
    "bq_etl.copy": {"source_tables": ["src"], "target_table": "t"},
    "bq_etl.snapshot": {"source_table": "src", "target_table": "t_"},
    "gcp.cost_billing": {"source_table": "billing_export", "export_column": "export_time"},
}


@pytest.fixture
def sources(site: Site, tenant: Tenant) -> Tenant:
    """Give a tenant a table and a file."""
    return with_sources(site, tenant)


@pytest.fixture(scope="module")
def reader(site: Site, tenant_ids: Iterator[str]) -> Tenant:
    """Give them to one tenant of all tests after which it has no more and no less."""
    return with_sources(site, site.onboard(next(tenant_ids)))


def with_sources(site: Site, tenant: Tenant) -> Tenant:
    folder = site.buckets / OPEN_BUCKET / tenant.tenant_id
    folder.mkdir(parents=True)
    (folder / "a.csv").write_text("n\n1\n2\n")
    site.rows(f"CREATE TABLE {tenant.tenant_id}.src AS SELECT 1 AS n UNION ALL SELECT 2")
    return tenant


@pytest.mark.parametrize("ps_type", STEPS)
def test_a_step_with_checks_costs_what_the_page_says(site: Site, sources: Tenant, ps_type: str) -> None:
    if ps_type == "gcp.cost_billing":
        assert sources.upload("cloud_costs", EXPORT.read_text(encoding="utf-8")).status_code == 201
        sources.run("cloud_costs", {"date": "2026-03-03"})
        site.drain()
    config = json.loads(json.dumps(STEPS[ps_type]).replace("{tenant}", sources.tenant_id))
    assert sources.upload("checked", a_file(a_step(ps_type, GOOD, **config))).status_code < 300
    run_id = sources.run("checked", {"date": "2026-03-03"})
    counted = site.bigquery.counts
    counted.reset()
    site.drain()
    found = [str(counted.jobs("cvg-step-")), str(counted.dry_runs)]
    assert found == rows_of_table("What checks add")[f"`{ps_type}`"][1:3]
    _is_told_everywhere(sources, run_id, str(config.get("target_table", "gcp_cost_billing")))


def _is_told_everywhere(tenant: Tenant, run_id: str, table: str) -> None:
    """Hold that the status, the history and the view of a tenant tell of the check of a run."""
    status = tenant.status(run_id)
    assert status["status"] == "COMPLETED", status["error_message"]
    (check,) = step_of(status)["checks"]
    assert (check["name"], check["type"], check["status"]) == ("row_count", "row_count", "PASSED")
    (result,) = tenant.call("GET", f"/api/v1/quality?table={table}").get_json()["results"]
    assert (result["pipeline_logging_id"], result["step_id"]) == (run_id, "work")
    (seen,) = tenant.site.rows(
        f"SELECT total_dq_checks, dq_checks_passed FROM {tenant.tenant_id}.tenant_comprehensive_view"
        f" WHERE pipeline_logging_id = '{run_id}'"
    )
    assert seen == {"total_dq_checks": 1, "dq_checks_passed": 1}


@pytest.mark.parametrize("ps_type", STEPS)
def test_what_a_step_with_checks_costs_can_be_asked_before(reader: Tenant, ps_type: str) -> None:
    config = json.loads(json.dumps(STEPS[ps_type]).replace("{tenant}", reader.tenant_id))
    steps = [a_step(ps_type, GOOD, **config)]
    if ps_type == "gcp.cost_billing":
        export = yaml.safe_load(EXPORT.read_text(encoding="utf-8"))["steps"][0]
        steps.insert(0, export)
    answer = reader.call("POST", "/api/v1/pipelines/configs/checked/validate", json.loads(a_file(*steps)))
    assert answer.status_code == 200, answer.text
    quote = answer.get_json()
    assert [step for step in quote["steps"] if step.get("error")] == []


def test_a_bill_that_fails_its_checks_leaves_what_is_kept(site: Site, tenant: Tenant) -> None:
    assert tenant.upload("cloud_costs", EXPORT.read_text(encoding="utf-8")).status_code == 201
    tenant.run("cloud_costs", {"date": "2026-03-03"})
    site.drain()
    assert (before := count(tenant, "gcp_cost_billing")) > 0
    config = {"source_table": "billing_export", "export_column": "export_time"}
    site.rows(f"DELETE FROM {tenant.tenant_id}.billing_export WHERE TRUE")
    assert run(tenant, a_step("gcp.cost_billing", GOOD, **config))["status"] == "FAILED"
    assert count(tenant, "gcp_cost_billing") == before
    warned = a_step("gcp.cost_billing", [GOOD[0] | {"severity": "warn"}], **config)
    completed(tenant, warned)
    assert count(tenant, "gcp_cost_billing") == 0


# Partitions


def test_a_table_that_requires_a_filter_is_checked_by_one_and_its_candidates_without(
    site: Site, tenant: Tenant
) -> None:
    site.rows(
        f"CREATE TABLE {tenant.tenant_id}.daily (n INT64, d DATE) PARTITION BY d"
        " OPTIONS (require_partition_filter = TRUE)"
    )
    config = {
        "source_query": "SELECT 1 AS n, ${date} AS d",
        "target_table": "daily",
        "write_disposition": "WRITE_APPEND",
    }
    completed(tenant, a_step("bq_etl.query", GOOD, **config))
    refused = step_of(run(tenant, a_step("dq.check", GOOD, table="daily")))
    assert (refused["status"], refused["bytes_billed"]) == ("FAILED", None)
    assert "without a filter over column" in refused["error_message"]
    assert "a `dq.check` in its `where`" in refused["error_message"]
    completed(tenant, a_step("dq.check", GOOD, table="daily", where="d = ${date}"))


# Under a credential


def test_rows_of_a_tenants_project_are_checked_there_before_they_are_published(
    site: Site,
    customer: Customer,  # noqa: F811
) -> None:
    tenant = customer.tenant
    step = {"source_query": ORDERS, "target_table": "imported", "credential": "my-gcp"}
    done = completed(tenant, a_step("bq_etl.query", GOOD, **step))
    assert [one["status"] for one in step_of(done)["checks"]] == ["PASSED"]
    assert customer.imported() == [1, 2]
    receipt = tenant.call("GET", f"/api/v1/pipelines/runs/{done['pipeline_logging_id']}/receipt").get_json()
    assert [attempt["job_name"] for attempt in receipt["attempts"]] == ["main", "checks", "publish"]
    assert {attempt["job_project"] for attempt in receipt["attempts"]} == {THEIRS}
    candidate = f"{tenant.tenant_id}._cvg_{done['pipeline_logging_id']}_work"
    from common.wiring import ADAPTERS  # noqa: PLC0415 - reads the environment, which is set by now

    assert ADAPTERS.platform_client.get_table(candidate).expires is not None


def test_rows_that_break_an_error_are_not_published_under_a_credential_either(
    customer: Customer,  # noqa: F811
) -> None:
    step = {"source_query": ORDERS, "target_table": "imported", "credential": "my-gcp"}
    assert run(customer.tenant, a_step("bq_etl.query", BAD, **step))["status"] == "FAILED"
    with pytest.raises(Exception, match="Not found"):
        customer.imported()
    completed(customer.tenant, a_step("bq_etl.query", GOOD, **step))
    assert run(customer.tenant, a_step("bq_etl.query", BAD, **step))["status"] == "FAILED"
    assert customer.imported() == [1, 2]


def test_files_of_a_tenants_own_are_checked_under_its_account(
    site: Site,
    customer: Customer,  # noqa: F811
) -> None:
    folder = site.buckets / "checked-files"
    folder.mkdir(exist_ok=True)
    (folder / "a.csv").write_text("n\n5\n")
    (folder / ".readers").write_text(customer.account)
    config = STEPS["bq_etl.load"] | {"uris": "gs://checked-files/*.csv", "credential": "my-gcp"}
    done = completed(customer.tenant, a_step("bq_etl.load", GOOD, **config))
    assert count(customer.tenant, "t") == 1
    assert step_of(done)["checks"][0]["status"] == "PASSED"


# Who reads what


def test_no_check_gets_through_at_upload(site: Site, tenant: Tenant) -> None:
    through = []
    for line in ATTACKS:
        check = json.loads(localized(json.dumps(line["check"]), tenant))
        answer = tenant.upload("checked", a_file(a_step("bq_etl.query", [check], **QUERY)))
        if answer.status_code != 422 or "/steps/0/checks/0" not in answer.text:
            through.append(line["tries"])
    assert through == []
    assert len(ATTACKS) >= 40


PASSES = Judgement(reasons=())
JUDGES = {
    "the text's": "common.pipelines.job_judgements.judge_statement",
    "BigQuery's reading's": "common.pipelines.job_judgements.judge_dry_run",
}
STEALING: dict[str, dict[str, Any]] = {
    "expression": {"type": "expression", "expression": "n NOT IN (SELECT n FROM {other}.secrets)"},
    "where": {"type": "not_null", "column": "n", "where": "n IN (SELECT n FROM {other}.secrets)"},
    "query": {"type": "query", "query": "SELECT * FROM {other}.secrets"},
    "relationships": {"type": "relationships", "column": "n", "to": "{other}.secrets", "field": "n"},
    "metric": {"type": "anomaly", "metric": "(SELECT COUNT(*) FROM {other}.secrets)"},
    "the platform": {"type": "query", "query": "SELECT * FROM tenants.tenant_api_keys"},
}


@pytest.fixture(scope="module")
def victim(site: Site, tenant_ids: Iterator[str]) -> Tenant:
    """Onboard another tenant, who has something to hide."""
    other = site.onboard(next(tenant_ids))
    site.rows(f"CREATE TABLE {other.tenant_id}.secrets AS SELECT 1 AS n, 'treasure' AS what")
    return other


@pytest.fixture
def nobody_judges_at_upload(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every check through when it is uploaded: a file may be older than a rule."""
    for module in ("check_texts", "check_compiler"):
        monkeypatch.setattr(f"common.pipelines.{module}.judge_statement", lambda *_: PASSES)
    monkeypatch.setattr(
        "common.pipelines.check_texts.CheckTexts._table", lambda _self, _name, text: f"`{text}`"
    )


@pytest.mark.usefixtures("nobody_judges_at_upload")
@pytest.mark.parametrize("which", STEALING)
@pytest.mark.parametrize("ps_type", ["bq_etl.query", "dq.check"])
def test_either_judge_alone_keeps_a_check_from_others_tables(
    reader: Tenant, victim: Tenant, monkeypatch: pytest.MonkeyPatch, which: str, ps_type: str
) -> None:
    check = json.loads(json.dumps(STEALING[which]).replace("{other}", victim.tenant_id))
    config = QUERY if ps_type == "bq_etl.query" else {"table": "src"}
    for judge in JUDGES.values():
        with monkeypatch.context() as without:
            without.setattr(judge, lambda *_: PASSES if judge.endswith("statement") else ())  # noqa: B023
            status = run(reader, a_step(ps_type, [check], **config))
        step = step_of(status)
        assert (step["status"], step["error_reason"], step["checks"]) == ("FAILED", "firewall", []), step
        assert "treasure" not in json.dumps(status)
