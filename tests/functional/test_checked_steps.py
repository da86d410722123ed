"""Steps with checks through the functions themselves: what they cost, whose account acts, who reads what."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from common.pipelines.firewall import Judgement
from local.platform import OPEN_BUCKET
from tests.data_files import cases_in
from tests.functional.environment import THEIRS
from tests.functional.promises import rows_of_table
from tests.functional.site import Site, Tenant, steps_of
from tests.functional.test_attacks import localized
from tests.functional.test_credential_steps import (
    ORDERS,
    Customer,
    customer_of_module,  # noqa: F401 - a fixture
    shared_customer,  # noqa: F401 - a fixture
)

HERE = Path(__file__).parent
ATTACKS = cases_in(HERE.parent / "unit/pipelines/check_attacks.yml")
GOOD = [{"type": "row_count", "min": 1}]
BAD = [{"type": "row_count", "min": 1000}]
EXAMPLE = HERE.parents[1] / "ps_templates/gcp/cost_billing/example.yml"
EXPORT: dict[str, Any] = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))["steps"][0]
"""The step that makes an export of costs."""
DAY = "2026-03-03"


def a_file(*steps: dict[str, Any]) -> str:
    return json.dumps({"pipeline": {"name": "Checked"}, "steps": [*steps]})


def a_step(
    ps_type: str, checks: list[dict[str, Any]], step_id: str = "work", **config: Any
) -> dict[str, Any]:
    return {"id": step_id, "ps_type": ps_type, "config": config, "checks": checks}


def run(tenant: Tenant, *steps: dict[str, Any], day: str = DAY) -> dict[str, Any]:
    """Carry a pipeline of these steps out, and return what is told of the run."""
    answer = tenant.upload("checked", a_file(*steps))
    assert answer.status_code < 300, answer.text
    run_id = tenant.run("checked", {"date": day})
    tenant.site.drain()
    return tenant.status(run_id)


def count(tenant: Tenant, table: str) -> int:
    (row,) = tenant.site.rows(f"SELECT COUNT(*) AS n FROM {tenant.tenant_id}.{table}")
    return int(row["n"])


# What they cost


QUERY = {"source_query": "SELECT n FROM src", "target_table": "t"}
STEPS: dict[str, dict[str, Any]] = {
    "bq_etl.query": QUERY,
    "bq_etl.load": {
        "uris": f"gs://{OPEN_BUCKET}/${{tenant_id}}/*.csv",
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


@pytest.fixture(scope="module")
def tenant_with_sources(site: Site, tenant_of_module: Tenant) -> Tenant:
    """Give the tenant of the module a table, a file and an export of costs."""
    tenant_of_module.files.mkdir(parents=True)
    (tenant_of_module.files / "a.csv").write_text("n\n1\n2\n")
    site.rows(f"CREATE TABLE {tenant_of_module.tenant_id}.src AS SELECT 1 AS n UNION ALL SELECT 2")
    export = EXPORT["config"]["source_query"].replace("${date}", f"DATE '{DAY}'")
    site.rows(f"CREATE TABLE {tenant_of_module.tenant_id}.billing_export AS {export}")
    return tenant_of_module


@pytest.fixture
def reader(shared_tenant: Tenant, tenant_with_sources: Tenant) -> Tenant:
    """Give a test the tenant of its module, which has a table and a file."""
    assert shared_tenant is tenant_with_sources
    return shared_tenant


def named(ps_type: str) -> str:
    """Name the step of a type."""
    return ps_type.partition(".")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedRun:
    """A run of a step of each type, and the jobs and dry runs that each took."""

    run_id: str
    steps: Mapping[str, dict[str, Any]]
    """What is told of the steps, by their types."""
    counts: Mapping[str, tuple[int, int]]


@pytest.fixture(scope="module")
def counted_run(site: Site, tenant_with_sources: Tenant) -> CountedRun:
    """Let one run carry out a step of each type, a level each, and count what each level asks for."""
    tenant, steps, counts = tenant_with_sources, list[dict[str, Any]](), {}
    for ps_type, config in STEPS.items():
        own = {name: f"{config[name]}_of_{named(ps_type)}" for name in ("target_table",) if name in config}
        before = {"depends_on": [steps[-1]["id"]]} if steps else {}
        steps.append(a_step(ps_type, GOOD, named(ps_type), **config | own) | before)
    site.drain()
    assert tenant.upload("counted", a_file(*steps)).status_code < 300
    run_id = tenant.run("counted", {"date": DAY})
    for ps_type in STEPS:
        site.bigquery.counts.reset()
        for message in site.take_levels():
            site.deliver_until_acknowledged(message)
        counts[ps_type] = (site.bigquery.counts.jobs("cvg-step-"), site.bigquery.counts.dry_runs)
    told = steps_of(tenant.status(run_id))
    return CountedRun(
        run_id=run_id, steps={ps_type: told[named(ps_type)] for ps_type in STEPS}, counts=counts
    )


@pytest.mark.parametrize("ps_type", STEPS)
def test_a_step_with_checks_costs_what_the_page_says(counted_run: CountedRun, ps_type: str) -> None:
    step = counted_run.steps[ps_type]
    assert (step["status"], step["error_message"]) == ("COMPLETED", None)
    (check,) = step["checks"]
    assert (check["name"], check["type"], check["status"]) == ("row_count", "row_count", "PASSED")
    promised = rows_of_table("What checks add")[f"`{ps_type}`"][1:3]
    assert [str(count) for count in counted_run.counts[ps_type]] == promised


def test_the_checks_of_a_run_are_told_by_the_history_and_the_view(
    reader: Tenant, counted_run: CountedRun
) -> None:
    results = reader.call("GET", "/api/v1/quality").get_json()["results"]
    told = [one["step_id"] for one in results if one["pipeline_logging_id"] == counted_run.run_id]
    assert sorted(told) == sorted(named(ps_type) for ps_type in STEPS)
    (seen,) = reader.site.rows(
        f"SELECT total_dq_checks, dq_checks_passed FROM {reader.tenant_id}.tenant_comprehensive_view"
        f" WHERE pipeline_logging_id = '{counted_run.run_id}'"
    )
    assert seen == {"total_dq_checks": len(STEPS), "dq_checks_passed": len(STEPS)}


def test_what_steps_with_checks_cost_can_be_asked_before(reader: Tenant) -> None:
    steps = [EXPORT]
    for ps_type, config in STEPS.items():
        own = {"target_table": f"asked_of_{named(ps_type)}"} if "target_table" in config else {}
        steps.append(a_step(ps_type, GOOD, named(ps_type), **config | own))
    answer = reader.call("POST", "/api/v1/pipelines/configs/asked/validate", json.loads(a_file(*steps)))
    assert answer.status_code == 200, answer.text
    asked = answer.get_json()["steps"]
    assert {step["step_id"] for step in asked} == {steps[0]["id"], *map(named, STEPS)}
    assert {step["step_id"]: step["error"] for step in asked if step.get("error")} == {}


# Partitions


def test_a_table_that_requires_a_filter_is_checked_by_one_and_its_candidates_without(
    site: Site, shared_tenant: Tenant
) -> None:
    tenant = shared_tenant
    site.rows(
        f"CREATE TABLE {tenant.tenant_id}.daily (n INT64, d DATE) PARTITION BY d"
        " OPTIONS (require_partition_filter = TRUE)"
    )
    config = {
        "source_query": "SELECT 1 AS n, ${date} AS d",
        "target_table": "daily",
        "write_disposition": "WRITE_APPEND",
    }
    steps = steps_of(
        run(
            tenant,
            a_step("bq_etl.query", GOOD, **config),
            a_step("dq.check", GOOD, "whole", table="daily"),
            a_step("dq.check", GOOD, "filtered", table="daily", where="d = ${date}"),
        )
    )
    ends = {step_id: step["status"] for step_id, step in steps.items()}
    assert ends == {"work": "COMPLETED", "whole": "FAILED", "filtered": "COMPLETED"}
    refused = steps["whole"]
    assert refused["bytes_billed"] is None
    assert "without a filter over column" in refused["error_message"]
    assert "a `dq.check` in its `where`" in refused["error_message"]


# Under a credential


@pytest.fixture(scope="module")
def credential_run(site: Site, customer_of_module: Customer) -> dict[str, Any]:  # noqa: F811
    """Let one run carry out steps under a credential, each named like its table, and return what is told."""
    site.drain()
    tenant = customer_of_module.tenant
    folder = site.buckets / "checked-files"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "a.csv").write_text("n\n5\n")
    (folder / ".readers").write_text(customer_of_module.account)
    site.rows(f"CREATE TABLE {tenant.tenant_id}.kept AS SELECT 7 AS n")
    work = {"source_query": ORDERS, "credential": "my-gcp"}
    files = {"uris": "gs://checked-files/*.csv", "credential": "my-gcp", "target_table": "from_files"}
    return run(
        tenant,
        a_step("bq_etl.query", GOOD, "imported", **work, target_table="imported"),
        *(a_step("bq_etl.query", BAD, table, **work, target_table=table) for table in ("unmade", "kept")),
        a_step("bq_etl.load", GOOD, "from_files", **STEPS["bq_etl.load"] | files),
    )


def test_rows_of_a_tenants_project_are_checked_there_before_they_are_published(
    shared_customer: Customer,  # noqa: F811
    credential_run: dict[str, Any],
) -> None:
    tenant, run_id = shared_customer.tenant, credential_run["pipeline_logging_id"]
    step = steps_of(credential_run)["imported"]
    assert (step["status"], [one["status"] for one in step["checks"]]) == ("COMPLETED", ["PASSED"]), step
    assert shared_customer.rows_of("imported") == [1, 2]
    receipt = tenant.call("GET", f"/api/v1/pipelines/runs/{run_id}/receipt").get_json()
    attempts = [attempt for attempt in receipt["attempts"] if attempt["step_id"] == "imported"]
    assert [attempt["job_name"] for attempt in attempts] == ["main", "checks", "publish"]
    assert {attempt["job_project"] for attempt in attempts} == {THEIRS}
    candidate = f"{tenant.tenant_id}._cvg_{run_id}_imported"
    from common.wiring import ADAPTERS  # noqa: PLC0415 - reads the environment, which is set by now

    assert ADAPTERS.platform_client.get_table(candidate).expires is not None


def test_rows_that_break_an_error_are_not_published_under_a_credential_either(
    shared_customer: Customer,  # noqa: F811
    credential_run: dict[str, Any],
) -> None:
    for table in ("unmade", "kept"):
        step = steps_of(credential_run)[table]
        assert (step["status"], step["checks"][0]["status"]) == ("FAILED", "FAILED"), step
    with pytest.raises(Exception, match="Not found"):
        shared_customer.rows_of("unmade")
    assert shared_customer.rows_of("kept") == [7]


def test_files_of_a_tenants_own_are_checked_under_its_account(
    shared_customer: Customer,  # noqa: F811
    credential_run: dict[str, Any],
) -> None:
    step = steps_of(credential_run)["from_files"]
    assert (step["status"], step["checks"][0]["status"]) == ("COMPLETED", "PASSED"), step
    assert count(shared_customer.tenant, "from_files") == 1


# Who reads what


def test_no_check_gets_through_at_upload(shared_tenant: Tenant) -> None:
    checks = {
        line["tries"]: json.loads(localized(json.dumps(line["check"]), shared_tenant)) for line in ATTACKS
    }
    assert len(checks) == len(ATTACKS) >= 40
    while checks:  # What is told of as a fault of its form hides what only other faults tell of.
        steps = (
            a_step("bq_etl.query", [check], f"s{number}", **QUERY | {"target_table": f"t{number}"})
            for number, check in enumerate(checks.values())
        )
        answer = shared_tenant.upload("attacks", a_file(*steps))
        assert answer.status_code == 422, f"these get through: {list(checks)}"
        pointers = [fault["pointer"].split("/") for fault in answer.get_json()["errors"]]
        refused = {int(parts[2]) for parts in pointers if parts[3:5] == ["checks", "0"]}
        assert refused, f"these get through: {list(checks)}"
        checks = {tries: checks[tries] for number, tries in enumerate(checks) if number not in refused}


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


def let_all_checks_through_at_upload(without: pytest.MonkeyPatch) -> None:
    """Have nobody judge a check when it is uploaded: a file may be older than a rule."""
    for module in ("check_texts", "check_compiler"):
        without.setattr(f"common.pipelines.{module}.judge_statement", lambda *_: PASSES)
    without.setattr("common.pipelines.check_texts.CheckTexts._table", lambda _self, _name, text: f"`{text}`")


@pytest.fixture(scope="module", params=JUDGES)
def stealing_run(
    site: Site, tenant_with_sources: Tenant, victim: Tenant, request: pytest.FixtureRequest
) -> Mapping[str, dict[str, Any]]:
    """Let one run try all checks before one judge, and return what is told of its steps."""
    site.drain()
    steps = []
    for which, check in STEALING.items():
        own = json.loads(json.dumps(check).replace("{other}", victim.tenant_id))
        name = which.replace(" ", "_")
        query = QUERY | {"target_table": f"stolen_by_{name}"}
        steps.append(a_step("bq_etl.query", [own], f"bq_etl_query_{name}", **query))
        steps.append(a_step("dq.check", [own], f"dq_check_{name}", table="src"))
    judge = JUDGES[request.param]
    with pytest.MonkeyPatch.context() as without:
        let_all_checks_through_at_upload(without)
        without.setattr(judge, lambda *_: PASSES if judge.endswith("statement") else ())
        return steps_of(run(tenant_with_sources, *steps))


@pytest.mark.parametrize("which", STEALING)
@pytest.mark.parametrize("ps_type", ["bq_etl.query", "dq.check"])
def test_either_judge_alone_keeps_a_check_from_others_tables(
    stealing_run: Mapping[str, dict[str, Any]], which: str, ps_type: str
) -> None:
    step = stealing_run[f"{ps_type.replace('.', '_')}_{which.replace(' ', '_')}"]
    assert (step["status"], step["error_reason"], step["checks"]) == ("FAILED", "firewall", []), step
    assert "treasure" not in json.dumps(step)
