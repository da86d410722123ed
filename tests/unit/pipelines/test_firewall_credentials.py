"""The SQL firewall for steps with a credential: other projects are open, the platform's stays closed."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from common.errors import InvalidInput
from common.pipelines.codec import from_json, to_json
from common.pipelines.firewall import judge_dry_run, judge_statement
from common.pipelines.pipeline import Pipeline
from common.pipelines.plans import QueryJob
from common.runs.guarding import PolicyGuard
from common.runs.ports import DryRun, StepJob
from tests.data_files import cases_in
from tests.unit.pipelines.examples import PROJECT, compiled
from tests.unit.pipelines.test_firewall import POLICY, full_name

ELSEWHERE = replace(POLICY, runs_elsewhere=True)
LINES: list[dict[str, Any]] = cases_in(Path(__file__).parent / "firewall_credentials.yml")


@pytest.mark.parametrize("line", [line for line in LINES if "reads" in line], ids=lambda line: line["does"])
def test_what_is_open_passes_and_its_tables_are_known(line: dict[str, Any]) -> None:
    judgement = judge_statement(line["sql"], ELSEWHERE)
    assert judgement.reasons == ()
    assert judgement.tables == {full_name(table) for table in line["reads"]}


@pytest.mark.parametrize("line", [line for line in LINES if "answer" in line], ids=lambda line: line["does"])
def test_what_is_closed_is_refused_with_its_reason(line: dict[str, Any]) -> None:
    reasons = judge_statement(line["sql"], ELSEWHERE).reasons
    assert reasons, "got through"
    assert line["answer"] in "; ".join(reasons)


@pytest.mark.parametrize("table", ["customer-project.sales.orders", "platform-prod.acme.orders"])
def test_bigquerys_own_reading_opens_the_same(table: str) -> None:
    assert judge_dry_run("SELECT", [table], ELSEWHERE) == ()


@pytest.mark.parametrize(
    "table",
    ["platform-prod.tenants.tenant_api_keys", "platform-prod.victim.orders", "123456789012.tenants.t"],
)
def test_bigquerys_own_reading_closes_the_same(table: str) -> None:
    assert judge_dry_run("SELECT", ["customer-project.sales.a_view", table], ELSEWHERE)


def test_without_a_credential_other_projects_stay_closed() -> None:
    assert judge_statement("SELECT * FROM customer-project.sales.orders", POLICY).reasons
    assert judge_dry_run("SELECT", ["customer-project.sales.orders"], POLICY)


# Compiling

QUERY = {"source_query": "SELECT n FROM customer-project.sales.orders", "target_table": "imported"}


def a_file(**config: Any) -> dict[str, Any]:
    step = {"id": "a", "ps_type": "bq_etl.query", "config": QUERY | config}
    return {"pipeline": {"name": "Import"}, "steps": [step]}


def test_a_step_has_the_credential_that_its_config_names() -> None:
    pipeline = compiled(a_file(credential="my-gcp"))
    assert pipeline.steps[0].credential == "my-gcp"
    assert from_json(Pipeline, to_json(pipeline)) == pipeline


@pytest.mark.parametrize("credential", ["", "My GCP", "../other", "a" * 64])
def test_what_is_no_id_of_a_credential_is_told_and_opens_nothing(credential: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        compiled(a_file(credential=credential))
    assert "/steps/0/config/credential" in {fault.pointer for fault in refused.value.violations}


def test_a_steps_credential_opens_nothing_for_the_others() -> None:
    file = a_file(credential="my-gcp")
    file["steps"].append({"id": "b", "ps_type": "bq_etl.query", "config": QUERY | {"target_table": "b"}})
    with pytest.raises(InvalidInput) as refused:
        compiled(file)
    assert [fault.pointer for fault in refused.value.violations] == ["/steps/1/config/source_query"]


@pytest.mark.parametrize(
    "target", ["customer-project.sales.copy", "victim.stolen", "tenant_comprehensive_view"]
)
def test_the_target_stays_in_the_tenants_dataset(target: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        compiled(a_file(credential="my-gcp", target_table=target))
    assert [fault.pointer for fault in refused.value.violations] == ["/steps/0/config/target_table"]


# Right before the job


@pytest.mark.parametrize(
    ("credential", "table", "is_refused"),
    [
        ("my-gcp", "customer-project.sales.orders", False),
        ("my-gcp", f"{PROJECT}.victim.orders", True),
        ("", "customer-project.sales.orders", True),
    ],
)
def test_the_last_look_at_a_statement_goes_by_its_own_credential(
    credential: str, table: str, is_refused: bool
) -> None:
    job = StepJob(
        job_id="cvg-step-1",
        tenant_id="acme",
        work=QueryJob(sql=f"SELECT n FROM `{table}`", destination="t"),
        parameters=(),
        timeout_seconds=60,
        labels={},
        credential=credential,
    )
    dry_run = DryRun(statement_type="SELECT", tables=(table,), bytes_processed=0)
    judge = PolicyGuard(project_id=PROJECT)
    assert [bool(judge(job, None)), bool(judge(job, dry_run))] == [is_refused, is_refused]
