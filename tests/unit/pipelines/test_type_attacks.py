"""What the fields of views, copies, snapshots and histories take from nobody else."""

from typing import Any

import pytest

from common.pipelines.plans import CopyJob, CopyOperation, QueryJob, StatementType, WriteDisposition
from tests.unit.pipelines.examples import PROJECT, a_document, compiled, violations_of


def a_file(ps_type: str, **config: Any) -> dict[str, Any]:
    return a_document(
        {"id": "work", "ps_type": f"bq_etl.{ps_type}", "config": {"target_table": "t"} | config}
    )


def test_a_view_is_one_statement_around_the_tenants_query() -> None:
    (job,) = compiled(a_file("view", source_query="SELECT a FROM ${tenant_id}.src -- end")).steps[0].jobs
    assert job == QueryJob(
        sql="CREATE OR REPLACE VIEW `t` AS\nSELECT a FROM `acme`.src -- end",
        destination="t",
        statement_type=StatementType.CREATE_VIEW,
        queries=("SELECT a FROM `acme`.src -- end\n",),
    )


def test_a_snapshot_is_a_new_table_and_a_copy_is_not() -> None:
    (snapshot,) = compiled(a_file("snapshot", source_table="src", retention_days=7)).steps[0].jobs
    (copy,) = compiled(a_file("copy", source_tables=["src"])).steps[0].jobs
    source = (f"{PROJECT}.acme.src",)
    assert copy == CopyJob(sources=source, destination="t")
    assert snapshot == CopyJob(
        sources=source,
        destination="t",
        operation=CopyOperation.SNAPSHOT,
        write_disposition=WriteDisposition.EMPTY,
        is_of_a_day=True,
        retention_days=7,
    )


OTHERS = ["victim.t", f"{PROJECT}.victim.t", f"`{PROJECT}.victim.t`", "tenants.tenant_api_keys", "p-1.d.t"]
NO_TABLES = ["t$20260131", "t@-3600000", "t_*", "*", "a.b.c.d", "t; DROP TABLE x", "t` AS `u", "${date}", ""]


@pytest.mark.parametrize("table", [*OTHERS, *NO_TABLES])
@pytest.mark.parametrize("place", ["copy", "snapshot", "target"])
def test_no_field_takes_anothers_table_or_what_is_none(table: str, place: str) -> None:
    file = {
        "copy": a_file("copy", source_tables=["src", table]),
        "snapshot": a_file("snapshot", source_table=table),
        "target": a_file("copy", source_tables=["src"], target_table=table),
    }[place]
    field = {"copy": "source_tables/1", "snapshot": "source_table", "target": "target_table"}[place]
    assert any(told.startswith(f"/steps/0/config/{field}: ") for told in violations_of(file))


@pytest.mark.parametrize("target", [*OTHERS, "tenant_comprehensive_view", "t$20260131", "t` AS SELECT 1 --"])
@pytest.mark.parametrize("ps_type", ["view", "copy", "snapshot", "scd2"])
def test_nothing_is_written_but_the_tenants_own(target: str, ps_type: str) -> None:
    fields: dict[str, dict[str, Any]] = {
        "view": {"source_query": "SELECT 1 AS a"},
        "copy": {"source_tables": ["src"]},
        "snapshot": {"source_table": "src"},
        "scd2": {"source_query": "SELECT 1 AS a", "unique_key": ["a"]},
    }
    (told,) = violations_of(a_file(ps_type, **fields[ps_type], target_table=target))
    assert told.startswith("/steps/0/config/target_table: ")


@pytest.mark.parametrize(
    ("query", "rule"),
    [
        ("SELECT * FROM victim.t", "reads victim.t"),
        (f"SELECT * FROM `{PROJECT}.victim.t`", f"reads {PROJECT}.victim.t"),
        ("SELECT a FROM src", "reads src: in a view a table has its dataset with it, ${tenant_id}.src"),
        ("SELECT ${date} AS d", "uses ${date}: a view is read without a run"),
        ("SELECT 1; DROP VIEW t", "has more than one statement"),
        ("DELETE FROM ${tenant_id}.t WHERE TRUE", "begins with DELETE"),
        ("SELECT * FROM EXTERNAL_QUERY('c', 'SELECT 1')", "EXTERNAL_QUERY"),
        ("SELECT * FROM ${tenant_id}.tenant_comprehensive_view", "the platform's own views"),
        ("SELECT @@project_id", "system variable"),
    ],
)
def test_a_view_says_nothing_that_a_query_must_not(query: str, rule: str) -> None:
    told = violations_of(a_file("view", source_query=query))
    assert told
    assert all(one.startswith("/steps/0/config/source_query: step work ") for one in told)
    assert rule in told[0]


@pytest.mark.parametrize("ps_type", ["view", "copy", "snapshot", "scd2", "incremental"])
def test_a_tenants_own_account_does_none_of_it(ps_type: str) -> None:
    told = violations_of(a_file(ps_type, credential="my-gcp"))
    assert "/steps/0/config/credential: is no key here" in " ".join(told)
