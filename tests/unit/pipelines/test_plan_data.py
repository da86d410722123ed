"""Plans as data: what a `plan.json` can say, of which kind of job, and what it cannot."""

import json
from pathlib import Path
from typing import Any

import pytest

from common.pipelines.levels import MAX_LEVELS
from common.pipelines.plans import (
    CheckJob,
    Column,
    CopyJob,
    CopyOperation,
    ExtractJob,
    FileFormat,
    LoadJob,
    Partitioning,
    QueryJob,
    SchemaUpdate,
    StatementType,
    WriteDisposition,
)
from common.pipelines.step_types import StepTypes, load_step_types
from common.pipelines.tables import Policy
from tests.unit.pipelines.examples import PROJECT, TEMPLATES, compiled, violations_of

POLICY = Policy(
    project_id=PROJECT,
    dataset="acme",
    allowed_sources=frozenset({"bigquery-public-data", "gs://acme-files"}),
    maximum_bytes_billed=20_000_000,
)
TABLE = {"type": "string", "format": "table"}
FIELDS: dict[str, Any] = {
    "target_table": TABLE,
    "source_tables": {"type": "array", "minItems": 1, "items": TABLE},
    "files": {"type": "array", "minItems": 1, "items": {"type": "string"}},
    "file_format": {"type": "string", "enum": ["csv", "parquet"], "default": "csv"},
    "schema": {"type": "array", "items": {"type": "object"}},
    "partition": {
        "type": "object",
        "properties": {
            "field": {"type": "string", "format": "column"},
            "type": {"type": "string", "enum": ["DAY", "MONTH"], "default": "DAY"},
            "expiration_days": {"type": "integer"},
        },
    },
    "query": {"type": "string", "format": "query"},
    "strategy": {"type": "string", "enum": ["append", "merge"], "default": "append"},
    "keys": {"type": "array", "minItems": 1, "items": {"type": "string", "format": "column"}},
    "limit": {"type": "integer"},
}
QUERY = "-- Select.\n-- Parameters: none\n${query}\n"
MERGE = (
    "-- Merge.\n-- Parameters: none\nMERGE ${target_table} AS t USING (${query}) AS s ON t.k = s.k\n"
    "WHEN MATCHED AND t.n = ${limit} THEN DELETE\n"
)
CHECK = "-- Count.\n-- Parameters: none\nSELECT COUNT(*) AS n FROM ${target_table}\n"
TO_TARGET = {"destination": "${target_table}"}
LOADING = {
    "kind": "load",
    "members": TO_TARGET
    | {
        "uris": "${files}",
        "format": {"field": "${file_format}", "values": {"csv": "CSV", "parquet": "PARQUET"}},
        "columns": "${schema}",
        "partitioning": "${partition}",
        "header_rows": 1,
    },
}


FILES = {"query.sql": QUERY, "merge.sql": MERGE, "check.sql": CHECK}


def types_with(folder: Path, *jobs: dict[str, Any], required: list[str]) -> StepTypes:
    """Make a folder of the one type `lab.work`, which declares the fields that its jobs name."""
    told = json.dumps(jobs) + "".join(FILES[job["sql"]] for job in jobs if job.get("sql") in FILES)
    used = {name for name in FIELDS if f"${{{name}" in told or f'"{name}"' in told} | {*required}
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:convergence:ps_type:lab.work",
        "type": "object",
        "additionalProperties": False,
        "required": required,
        "properties": {name: FIELDS[name] for name in FIELDS if name in used},
    }
    place = folder / "lab" / "work"
    place.mkdir(parents=True)
    pipeline = (TEMPLATES / "pipeline.schema.json").read_text(encoding="utf-8")
    (folder / "pipeline.schema.json").write_text(pipeline, encoding="utf-8")
    (place / "schema.json").write_text(json.dumps(schema), encoding="utf-8")
    (place / "plan.json").write_text(json.dumps({"jobs": jobs}), encoding="utf-8")
    for name, text in FILES.items():
        (place / name).write_text(text, encoding="utf-8")
    return load_step_types(folder)


def document_of(**config: Any) -> dict[str, Any]:
    step = {"id": "work", "ps_type": "lab.work", "config": config}
    return {"pipeline": {"name": "Lab"}, "steps": [step]}


def jobs_of(step_types: StepTypes, **config: Any) -> tuple[object, ...]:
    return compiled(document_of(**config), step_types, policy=POLICY).steps[0].jobs


def test_a_load_takes_files_columns_and_words_of_its_own(tmp_path: Path) -> None:
    step_types = types_with(tmp_path, LOADING, required=["target_table", "files"])
    (job,) = jobs_of(
        step_types,
        target_table="t",
        files=["gs://acme-files/in/*.csv"],
        file_format="parquet",
        schema=[{"name": "a", "type": "INT64"}],
        partition={"field": "d", "expiration_days": 60.0},
    )
    assert job == LoadJob(
        uris=("gs://acme-files/in/*.csv",),
        format=FileFormat.PARQUET,
        destination="t",
        columns=(Column(name="a", type="INT64"),),
        partitioning=Partitioning(field="d", expiration_days=60),
        header_rows=1,
    )
    (plain,) = jobs_of(step_types, target_table="t", files=["gs://acme-files/a.csv"])
    assert plain == LoadJob(
        uris=("gs://acme-files/a.csv",), format=FileFormat.CSV, destination="t", header_rows=1
    )
    assert violations_of(
        document_of(target_table="victim.t", files=["gs://victim-files/a.csv"]), step_types, policy=POLICY
    ) == [
        "/steps/0/config/files/0: step work names gs://victim-files/a.csv: only files of allowed buckets "
        "can be named",
        "/steps/0/config/target_table: must be in your own dataset, acme",
    ]


def test_a_copy_reads_what_a_tenant_may_read_and_runs_after_who_writes_it(tmp_path: Path) -> None:
    job = {
        "kind": "copy",
        "members": TO_TARGET | {"sources": "${source_tables}", "operation": "SNAPSHOT"},
    }
    step_types = types_with(tmp_path, job, required=["target_table", "source_tables"])
    copy, first = (
        {"target_table": "t", "source_tables": ["a", "bigquery-public-data.usa.names"]},
        {"target_table": "a", "source_tables": ["b"]},
    )
    steps = [
        {"id": name, "ps_type": "lab.work", "config": config}
        for name, config in (("late", copy), ("early", first))
    ]
    pipeline = compiled({"pipeline": {"name": "Lab"}, "steps": steps}, step_types, policy=POLICY)
    assert [[step.id for step in level] for level in pipeline.levels] == [["early"], ["late"]]
    assert len(pipeline.levels) < MAX_LEVELS
    assert pipeline.steps[1].jobs == (
        CopyJob(
            sources=(f"{PROJECT}.acme.a", "bigquery-public-data.usa.names"),
            destination="t",
            operation=CopyOperation.SNAPSHOT,
        ),
    )
    for source in ("victim.t", f"{PROJECT}.victim.t", "a$20260131", "a@-3600000", "a*b", "${date}"):
        (told,) = violations_of(
            document_of(target_table="t", source_tables=[source]), step_types, policy=POLICY
        )
        assert told.startswith("/steps/0/config/source_tables/0: ")
    (told,) = violations_of(document_of(target_table="t$20260131", source_tables=["a"]), step_types)
    assert told.startswith("/steps/0/config/target_table: ")


def test_an_extract_has_no_target_and_takes_a_table_of_the_tenants_own(tmp_path: Path) -> None:
    job = {"kind": "extract", "members": {"source": "${target_table}", "uris": "${files}"}}
    step_types = types_with(tmp_path, job, required=["target_table", "files"])
    pipeline = compiled(
        document_of(target_table="t", files=["gs://acme-files/a.csv"]), step_types, policy=POLICY
    )
    assert pipeline.steps[0].jobs == (ExtractJob(source="t", uris=("gs://acme-files/a.csv",)),)
    assert pipeline.steps[0].target_table == ""
    document = document_of(target_table="bigquery-public-data.usa.names", files=["gs://acme-files/a.csv"])
    assert violations_of(document, step_types, policy=POLICY) == [
        "/steps/0/config/target_table: must be in your own dataset, acme"
    ]


MERGING = {
    "name": "main",
    "kind": "query",
    "sql": "merge.sql",
    "when": {"strategy": ["merge"]},
    "members": TO_TARGET | {"statement_type": "MERGE", "maximum_bytes_billed": "${limit}"},
}
APPENDING = {
    "name": "main",
    "kind": "query",
    "sql": "query.sql",
    "when": {"strategy": ["append"]},
    "members": TO_TARGET
    | {
        "write_disposition": "WRITE_APPEND",
        "schema_update": [
            {"field": "${strategy}", "values": {"append": ["ALLOW_FIELD_ADDITION"], "merge": []}},
            {"field": "${strategy}", "values": {"append": "ALLOW_FIELD_ADDITION", "merge": []}},
        ],
    },
}
CHECKING = {"name": "checks", "kind": "check", "sql": "check.sql", "when": {"limit": True}}


def test_fields_choose_the_jobs_of_a_plan(tmp_path: Path) -> None:
    step_types = types_with(tmp_path, APPENDING, MERGING, CHECKING, required=["target_table", "query"])
    query = "SELECT 1 AS k, ${date} AS d"
    (append,) = jobs_of(step_types, target_table="t", query=query)
    assert append == QueryJob(
        sql="SELECT 1 AS k, @date AS d",
        destination="t",
        write_disposition=WriteDisposition.APPEND,
        parameters=("date",),
        schema_update=(SchemaUpdate.ADD_COLUMNS,),
    )
    merge, check = jobs_of(step_types, target_table="t", query=query, strategy="merge", limit=7)
    assert merge == QueryJob(
        sql="MERGE `t` AS t USING (SELECT 1 AS k, @date AS d\n) AS s ON t.k = s.k\n"
        "WHEN MATCHED AND t.n = 7 THEN DELETE",
        destination="t",
        statement_type=StatementType.MERGE,
        queries=("SELECT 1 AS k, @date AS d\n",),
        parameters=("date",),
        maximum_bytes_billed=7,
    )
    assert check == CheckJob(sql="SELECT COUNT(*) AS n FROM `t`")
    (unlimited,) = jobs_of(step_types, target_table="t", query=query, strategy="merge")
    assert isinstance(unlimited, QueryJob)
    assert "t.n = null" in unlimited.sql
    assert unlimited.maximum_bytes_billed == POLICY.maximum_bytes_billed


def test_a_statement_around_a_query_is_judged_by_its_parts(tmp_path: Path) -> None:
    step_types = types_with(tmp_path, APPENDING, MERGING, CHECKING, required=["target_table", "query"])

    def told(**config: Any) -> list[str]:
        document = document_of(**{"target_table": "t", "strategy": "merge"} | config)
        return violations_of(document, step_types, policy=POLICY)

    assert told(query="SELECT 1) AS s ON TRUE WHEN MATCHED THEN DELETE --")[0].startswith(
        "/steps/0/config/query: step work "
    )
    assert told(query="SELECT * FROM victim.t")[0].startswith("/steps/0/config/query: step work reads victim")
    assert told(query="SELECT 1", target_table="victim.t") == [
        "/steps/0/config/target_table: must be in your own dataset, acme"
    ]
    assert told(query="SELECT 1", limit=30_000_000) == [
        "/steps/0/config/limit: must be at most 20000000, which is what the platform lets a step bill"
    ]
    assert len(told(query="SELECT * FROM victim.t", target_table="victim.t", limit="x")) == 3


@pytest.mark.parametrize(
    ("job", "message"),
    [
        (
            APPENDING | {"kind": "script"},
            "the kind script: known are query, load, files_loaded, extract, copy, check",
        ),
        (APPENDING | {"retries": 3}, "has retries, which plan.json does not know"),
        ({"kind": "query", "members": TO_TARGET}, "must have sql"),
        (LOADING | {"sql": "query.sql"}, "must not have sql"),
        (APPENDING | {"members": {}}, "must have the member destination"),
        (APPENDING | {"members": TO_TARGET | {"uris": "x"}}, "the member uris, which no query job has"),
        (APPENDING | {"members": TO_TARGET | {"sql": "SELECT 1"}}, "the member sql, which no query job has"),
        (APPENDING | {"members": TO_TARGET | {"partition": "${day}"}}, "which schema.json does not declare"),
        (APPENDING | {"when": {"day": True}}, "which schema.json does not declare"),
        (APPENDING | {"members": {"destination": "${keys}"}}, "keys must be required, for destination"),
    ],
)
def test_a_plan_that_contradicts_itself_is_none(job: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        types_with(tmp_path, job, required=["target_table", "query", "files"])


def test_jobs_of_one_name_exclude_each_other(tmp_path: Path) -> None:
    always = {key: value for key, value in APPENDING.items() if key != "when"}
    with pytest.raises(ValueError, match="two jobs called main"):
        types_with(tmp_path, always, MERGING, required=["target_table", "query"])


def test_a_rule_that_nobody_has_written_is_none(tmp_path: Path) -> None:
    types_with(tmp_path, LOADING, required=["target_table", "files"])
    path = tmp_path / "lab" / "work" / "plan.json"
    path.write_text(json.dumps({"jobs": [LOADING], "rules": ["nobody"]}), encoding="utf-8")
    with pytest.raises(ValueError, match=r"lab\.work: plan\.json names a rule"):
        load_step_types(tmp_path)
