"""Checks of steps: the plans that they become, and all that is refused."""

from pathlib import Path
from typing import Any

import pytest

from common.pipelines.check_types import check_folders
from common.pipelines.plans import CheckJob, CopyJob, QueryJob, SchemaUpdate, WriteDisposition
from common.quality.checks import Check, Severity
from tests.data_files import cases_in
from tests.unit.pipelines.examples import STEP_TYPES, TEMPLATES, a_document, a_step, compiled, violations_of

ATTACKS = cases_in(Path(__file__).parent / "check_attacks.yml")
PARAMETERS = {"pepper": {"type": "INT64", "secret": True}, "low": {"type": "INT64", "default": 1}}
ID = {"type": "not_null", "column": "id"}


def checked(*checks: dict[str, Any], **more: Any) -> dict[str, Any]:
    return a_step("a", "SELECT 1 AS id", "orders", checks=list(checks), **more)


def jobs_of(step: dict[str, Any], *others: dict[str, Any]) -> list[Any]:
    pipeline = compiled(a_document(*others, step, parameters=PARAMETERS))
    return list(next(one for one in pipeline.steps if one.id == step["id"]).jobs)


def rules(*checks: dict[str, Any], **more: Any) -> list[str]:
    return violations_of(a_document(checked(*checks, **more), parameters=PARAMETERS))


def check_of(*checks: dict[str, Any], **more: Any) -> CheckJob:
    (job,) = [job for job in jobs_of(checked(*checks, **more)) if isinstance(job, CheckJob)]
    return job


# Plans


def test_rows_go_to_a_candidate_are_checked_there_and_copied() -> None:
    main, check, publish = jobs_of(checked(ID, config={"clustering": ["id"]}))
    assert isinstance(main, QueryJob)
    assert (main.destination, main.candidate_for) == ("_cvg_candidate", "orders")
    assert main.write_disposition is WriteDisposition.EMPTY
    assert main.clustering == ("id",)
    assert (check.table, check.checked) == ("orders", "platform-prod.acme._cvg_candidate")
    assert "FROM `platform-prod.acme._cvg_candidate` AS `orders`" in check.sql
    expected = CopyJob(name="publish", sources=("platform-prod.acme._cvg_candidate",), destination="orders")
    assert publish == expected


@pytest.mark.parametrize("disposition", ["WRITE_APPEND", "WRITE_EMPTY", "WRITE_TRUNCATE"])
def test_the_copy_does_to_the_target_what_the_step_asks_for(disposition: str) -> None:
    *_, publish = jobs_of(checked(ID, config={"write_disposition": disposition}))
    assert isinstance(publish, CopyJob)
    assert publish.write_disposition == disposition


def test_one_partition_is_written_and_copied_as_such() -> None:
    config = {"partitioning": {"field": "d", "type": "MONTH"}, "partition": "2026-01"}
    main, _, publish = jobs_of(checked(ID, config=config))
    assert (main.partition, main.write_disposition) == ("202601", WriteDisposition.TRUNCATE)
    assert (publish.partition, publish.partition_type) == ("202601", "MONTH")


def test_rows_that_may_add_columns_are_published_by_a_query() -> None:
    config = {"write_disposition": "WRITE_APPEND", "schema_update": "add_columns"}
    main, _, publish = jobs_of(checked(ID, config=config))
    assert isinstance(publish, QueryJob)
    assert publish.sql == "SELECT * FROM `platform-prod.acme._cvg_candidate`"
    assert publish.schema_update == main.schema_update == (SchemaUpdate.ADD_COLUMNS,)
    assert publish.write_disposition is WriteDisposition.APPEND


def test_thirty_plain_checks_of_a_table_are_one_job_and_one_scan() -> None:
    plain: list[dict[str, Any]] = [
        {"type": "range", "column": f"c{number}", "min": 0} for number in range(24)
    ]
    plain += [
        ID,
        {"type": "unique", "columns": ["id", "c1"]},
        {"type": "accepted_values", "column": "c2", "values": [1, 2]},
        {"type": "regex", "column": "c3", "pattern": "x"},
        {"type": "row_count", "min": 1},
        {"type": "freshness", "column": "c4", "max_age_hours": 1},
        {"type": "expression", "expression": "c5 > 0"},
        {"type": "anomaly", "metric": "SUM(c6)"},
        {"type": "schema", "columns": [{"name": "id"}]},
    ]
    jobs = jobs_of(checked(*plain))
    (check,) = [job for job in jobs if isinstance(job, CheckJob)]
    assert len(check.checks) == len(plain) >= 30
    assert check.sql.count("`platform-prod.acme._cvg_candidate`") == 1


def test_a_check_that_reads_more_than_rows_one_by_one_shares_the_job() -> None:
    others = {"type": "relationships", "column": "id", "to": "customers", "field": "id"}
    check = check_of(ID, others, {"type": "query", "query": "SELECT * FROM ${table} WHERE id < ${low}"})
    assert check.sql.count("`platform-prod.acme._cvg_candidate`") == 3
    assert check.parameters == ("low",)


def test_a_table_that_is_there_is_checked_by_a_step_that_waits_for_its_writer() -> None:
    step = {
        "id": "check",
        "ps_type": "dq.check",
        "config": {"table": "orders", "where": "id > ${low}"},
        "checks": [ID],
    }
    pipeline = compiled(a_document(step, a_step("a", "SELECT 1 AS id", "orders"), parameters=PARAMETERS))
    assert [[one.id for one in level] for level in pipeline.levels] == [["a"], ["check"]]
    (job,) = pipeline.levels[1][0].jobs
    assert isinstance(job, CheckJob)
    assert (job.table, job.parameters) == ("orders", ("low",))
    assert "FROM (SELECT * FROM `platform-prod.acme.orders` WHERE (\nid > @low\n)) AS `orders`" in job.sql


def test_a_check_waits_for_the_step_that_writes_what_it_compares_with() -> None:
    others = {"type": "relationships", "column": "id", "to": "customers", "field": "id"}
    pipeline = compiled(a_document(checked(others), a_step("c", "SELECT 1 AS id", "customers")))
    assert [[one.id for one in level] for level in pipeline.levels] == [["c"], ["a"]]


def test_failing_rows_are_kept_masked_before_anything_is_stopped() -> None:
    kept = {"max_rows": 7, "mask": ["email"]}
    query = {"type": "query", "query": "SELECT 1 AS x"}
    main, failing, check, _ = jobs_of(checked(ID, {"type": "row_count", "min": 1}, query, failing_rows=kept))
    assert isinstance(failing, QueryJob)
    assert (failing.name, failing.destination) == ("failing_rows", "dq_failing_rows")
    assert failing.write_disposition is WriteDisposition.APPEND
    assert failing.partitioning is not None
    assert failing.partitioning.expiration_days == 30
    assert "* REPLACE ('***' AS `email`)" in failing.sql
    assert failing.sql.count("LIMIT 7") == 1  # Of the query's rows nobody knows which columns they have.
    assert (main.name, check.name) == ("main", "checks")


def test_a_check_is_called_by_its_type_and_columns_unless_it_has_a_name() -> None:
    check = check_of(ID, {"type": "unique", "columns": ["Id", "line"], "name": "one_of_each"})
    assert [one.name for one in check.checks] == ["not_null_id", "one_of_each"]


def test_limits_and_severity_travel_with_a_check() -> None:
    limits = {"severity": "warn", "max_failed_rows": 3, "max_failed_percent": 1.5, "description": "Why."}
    (check,) = check_of(ID | limits).checks
    assert isinstance(check, Check)
    assert (check.severity, check.description) == (Severity.WARN, "Why.")
    assert (check.tolerance.max_failed_rows, check.tolerance.max_failed_percent) == (3, 1.5)


# Types


@pytest.mark.parametrize("name", check_folders(TEMPLATES))
def test_the_examples_of_a_type_compile(name: str) -> None:
    examples = STEP_TYPES.checks.by_name[name].schema["examples"]
    assert examples
    for example in examples:
        (found,) = check_of(example).checks
        assert found.type == name


@pytest.mark.parametrize("name", check_folders(TEMPLATES))
def test_each_field_of_a_type_is_put_somewhere(name: str) -> None:
    kind = STEP_TYPES.checks.by_name[name]
    common = {"type", "name", "description", "severity", "where", "max_failed_rows", "max_failed_percent"}
    of_verdicts = {"max_change_percent", "max_deviations", "earlier_runs", "more_columns"}
    of_verdicts |= {"min", "max"} if name == "row_count" else {"columns"} if name == "schema" else set()
    assert kind.schema["properties"].keys() - common - of_verdicts <= kind.fields.keys() | {"columns"}


# What is refused


@pytest.mark.parametrize("attack", ATTACKS, ids=[attack["tries"] for attack in ATTACKS])
def test_an_attack_in_a_check_is_refused_at_upload(attack: dict[str, Any]) -> None:
    (first, *_) = rules(attack["check"])
    assert any(attack["answer"] in rule for rule in rules(attack["check"]))
    assert first.startswith("/steps/0/checks/0")


@pytest.mark.parametrize(
    ("check", "rule"),
    [
        ({"type": "range", "column": "id"}, "/steps/0/checks/0: must have min or max"),
        ({"type": "row_count"}, "/steps/0/checks/0: must have min or max or max_change_percent"),
        (
            {"type": "range", "column": "id", "min": 5, "max": 1.5},
            "/steps/0/checks/0/max: must not be less than the min, 5",
        ),
        (
            {"type": "row_count", "min": 2, "max": 1},
            "/steps/0/checks/0/max: must not be less than the min, 2",
        ),
        ({"type": "not_null"}, "/steps/0/checks/0/column: is required"),
        ({"type": "notnull", "column": "id"}, "did you mean not_null?"),
        ({"column": "id"}, "/steps/0/checks/0/type: is required"),
    ],
)
def test_a_check_says_what_it_lacks(check: dict[str, Any], rule: str) -> None:
    assert any(rule in one for one in rules(check))


def test_two_checks_of_one_name_are_told_apart_by_nobody() -> None:
    assert rules(ID, ID) == [
        "/steps/0/checks/1: is called not_null_id, as /checks/0 of the step is: give it a name"
    ]


def test_all_faults_of_checks_are_told_at_once_with_the_others() -> None:
    found = rules(
        {"type": "x"}, {"type": "not_null"}, {"type": "expression", "expression": "("}, config={"k": 1}
    )
    assert len(found) == 4


def test_a_check_under_a_credential_names_other_tables_with_their_project() -> None:
    query = {"type": "query", "query": "SELECT * FROM sales.orders"}
    (rule,) = rules(query, config={"credential": "gcp"})
    assert "reads sales.orders, which names no project" in rule


def test_rows_of_a_view_are_nobodys_to_keep_back() -> None:
    step = {
        "id": "v",
        "ps_type": "bq_etl.view",
        "config": {"source_query": "SELECT 1 AS id", "target_table": "v"},
        "checks": [ID],
    }
    (rule,) = violations_of(a_document(step))
    assert rule.startswith("/steps/0/checks: cannot keep the rows of a step of the type bq_etl.view back")


def test_files_go_with_a_step_that_writes_a_table() -> None:
    config = {"source_table": "t", "uris": "gs://acme-files/a.csv", "format": "csv"}
    (rule,) = violations_of(
        a_document({"id": "x", "ps_type": "bq_etl.extract", "config": config, "checks": [ID]})
    )
    assert rule.startswith("/steps/0/checks: goes with a step that writes a table")


def test_failing_rows_go_with_checks() -> None:
    (rule,) = violations_of(a_document(a_step(failing_rows={})))
    assert "/steps/0/failing_rows: goes with checks" in rule


def test_a_step_of_checks_has_some() -> None:
    step = {"id": "c", "ps_type": "dq.check", "config": {"table": "orders"}}
    assert violations_of(a_document(step)) == ["/steps/0/checks: is required"]


def test_a_step_of_checks_reads_what_the_tenant_may_read() -> None:
    step = {"id": "c", "ps_type": "dq.check", "config": {"table": "victim.t"}, "checks": [ID]}
    (rule,) = violations_of(a_document(step))
    assert rule.startswith("/steps/0/config/table: step c reads victim.t")


def test_no_step_writes_a_table_that_is_called_like_the_platforms_own() -> None:
    (rule,) = violations_of(a_document(a_step(target="_cvg_candidate")))
    assert "no name that begins with _cvg_" in rule
