"""Step types: a folder of data is a new kind of step, and a folder that contradicts itself is none."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from common.pipelines.levels import MAX_LEVELS
from common.pipelines.step_types import StepTypes, load_step_types
from tests.unit.pipelines.examples import STEP_TYPES, TEMPLATES, compiled, violations_of

DEDUPLICATE = """-- Keep one row for each key: the first one in the given order.
-- Parameters: none
SELECT *
FROM ${source_table}
WHERE TRUE -- BigQuery takes QUALIFY beside a WHERE only
QUALIFY ROW_NUMBER() OVER (PARTITION BY ${keys} ORDER BY ${order_by}) <= ${keep}
"""
FIELDS: dict[str, Any] = {
    "source_table": {"type": "string", "format": "table"},
    "keys": {"type": "array", "minItems": 1, "items": {"type": "string", "format": "column"}},
    "order_by": {"type": "array", "minItems": 1, "items": {"type": "string", "format": "ordering"}},
    "keep": {"type": "integer", "minimum": 1, "default": 1},
}
REQUIRED = ["source_table", "keys", "order_by"]
PLAN: dict[str, Any] = {
    "jobs": [
        {
            "name": "main",
            "kind": "query",
            "sql": "query.sql",
            "members": {"destination": "${target_table}"},
        }
    ]
}


def templates_with(
    folder: Path,
    query: str = DEDUPLICATE,
    fields: dict[str, Any] | None = None,
    required: list[str] | None = None,
    name: str = "deduplicate",
    plan: dict[str, Any] | None = None,
) -> StepTypes:
    """Copy the shipped templates, add the type `bq_etl.<name>` as files alone, and load all of it."""
    shutil.copytree(TEMPLATES, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("setup"))
    target = {"$ref": "urn:convergence:pipeline#/$defs/target_table"}
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:convergence:ps_type:bq_etl.{name}",
        "type": "object",
        "additionalProperties": False,
        "required": [*(REQUIRED if required is None else required), "target_table"],
        "properties": {**(FIELDS if fields is None else fields), "target_table": target},
    }
    (folder / "bq_etl" / name).mkdir()
    (folder / "bq_etl" / name / "schema.json").write_text(json.dumps(schema), encoding="utf-8")
    (folder / "bq_etl" / name / "query.sql").write_text(query, encoding="utf-8")
    (folder / "bq_etl" / name / "plan.json").write_text(json.dumps(plan or PLAN), encoding="utf-8")
    return load_step_types(folder)


def document_of(config: dict[str, Any], name: str = "deduplicate", **more: Any) -> dict[str, Any]:
    """Describe a pipeline of one step of the type."""
    step = {"id": "clean", "ps_type": f"bq_etl.{name}", "config": {"target_table": "clean"} | config}
    return {"pipeline": {"name": "Clean"}, "steps": [step], **more}


CONFIG = {"source_table": "${tenant_id}.raw", "keys": ["id"], "order_by": ["updated_at DESC", "id"]}


def test_the_shipped_types_are_loaded() -> None:
    shipped = {
        "bq_etl.copy",
        "bq_etl.extract",
        "bq_etl.incremental",
        "bq_etl.load",
        "bq_etl.query",
        "bq_etl.scd2",
        "bq_etl.snapshot",
        "bq_etl.view",
    }
    assert shipped <= STEP_TYPES.by_name.keys()
    (job,) = STEP_TYPES.by_name["bq_etl.query"].jobs
    assert job.statement
    assert job.statement.is_plain


def test_a_new_folder_is_a_new_type(tmp_path: Path) -> None:
    step_types = templates_with(tmp_path)
    assert set(step_types.by_name) == {"bq_etl.deduplicate", *STEP_TYPES.by_name}
    config = CONFIG | {"keys": ["customer_id", "day"], "keep": 2}
    assert compiled(document_of(config), step_types).steps[0].jobs[0].sql == (
        "SELECT *\n"
        "FROM `acme.raw`\n"
        "WHERE TRUE -- BigQuery takes QUALIFY beside a WHERE only\n"
        "QUALIFY ROW_NUMBER() OVER (PARTITION BY `customer_id`, `day` ORDER BY `updated_at` DESC, `id`) <= 2"
    )
    assert "<= 1" in compiled(document_of(CONFIG), step_types).steps[0].jobs[0].sql


def test_the_order_of_steps_follows_from_the_tables_of_any_type(tmp_path: Path) -> None:
    step_types = templates_with(tmp_path)
    document = document_of(CONFIG)
    document["steps"].append(
        {
            "id": "load",
            "ps_type": "bq_etl.query",
            "config": {"source_query": "SELECT 1 AS id", "target_table": "raw"},
        }
    )
    pipeline = compiled(document, step_types)
    assert [[step.id for step in level] for level in pipeline.levels] == [["load"], ["clean"]]
    assert len(pipeline.levels) < MAX_LEVELS


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"source_table": "victim.t"}, "/steps/0/config: step clean reads victim.t: only tables of your own"),
        (
            {"source_table": "`a` JOIN `b`"},
            "/steps/0/config/source_table: must be table, ${tenant_id}.table or",
        ),
        (
            {"source_table": "t; DROP TABLE x"},
            "/steps/0/config: step clean reads t; DROP TABLE x: the name holds",
        ),
        ({"source_table": "t` WHERE FALSE UNION ALL SELECT * FROM `victim.k"}, "/steps/0/config"),
        ({"source_table": "${date}"}, "/steps/0/config/source_table: has ${date}: only"),
        ({"source_table": ""}, "/steps/0/config/source_table: must be table"),
        ({"keys": ["id) --"]}, "/steps/0/config/keys/0: must be a column"),
        ({"keys": ["a`b"]}, "/steps/0/config/keys/0: must be a column"),
        ({"keys": []}, "/steps/0/config/keys: must not be empty"),
        ({"keys": "id"}, "/steps/0/config/keys: must be a list"),
        ({"order_by": ["id DESC; DROP"]}, "/steps/0/config/order_by/0: must be a column, with ASC or DESC"),
        ({"order_by": ["id desc"]}, "/steps/0/config/order_by/0: must be a column, with ASC or DESC"),
        ({"keep": "1 OR TRUE"}, "/steps/0/config/keep: must be a whole number"),
        ({"kep": 1}, "/steps/0/config/kep: is no key here; did you mean keep?"),
    ],
)
def test_no_value_of_a_config_breaks_out_of_its_place(
    changes: dict[str, Any], fault: str, tmp_path: Path
) -> None:
    found = violations_of(document_of(CONFIG | changes), templates_with(tmp_path))
    assert len(found) == 1
    assert found[0].startswith(fault)


LITERALS = """-- Write literals.
-- Parameters: date
SELECT ${text} AS text, ${number} AS number, ${is_on} AS is_on, DATE_TRUNC(@date, ${unit}) AS d,
  a IN (${words}) AS is_word
FROM (${query}) AS q CROSS JOIN ${tenant_id}.t
"""
LITERAL_FIELDS: dict[str, Any] = {
    "text": {"type": "string"},
    "number": {"type": "number"},
    "is_on": {"type": "boolean", "default": False},
    "unit": {"type": "string", "format": "keyword", "enum": ["DAY", "MONTH"]},
    "words": {"type": "array", "minItems": 1, "items": {"type": "string"}},
    "query": {"type": "string", "format": "query"},
}


def test_each_kind_of_field_is_written_in_its_own_way(tmp_path: Path) -> None:
    required = ["text", "number", "unit", "words", "query"]
    step_types = templates_with(tmp_path, LITERALS, LITERAL_FIELDS, required, "literals")
    config = {
        "text": 'it\'s "größe"\n\\ 🚀 -- /*',
        "number": 1.5,
        "unit": "MONTH",
        "words": ["a", "b') OR TRUE --"],
        "query": "SELECT a FROM u WHERE d = ${date} -- end;\n ; ",
    }
    step = compiled(document_of(config, "literals"), step_types).steps[0]
    assert step.jobs[0].sql == (
        'SELECT "it\'s \\"größe\\"\\n\\\\ 🚀 -- /*" AS text, 1.5 AS number, false AS is_on, '
        "DATE_TRUNC(@date, MONTH) AS d,\n"
        '  a IN ("a", "b\') OR TRUE --") AS is_word\n'
        "FROM (SELECT a FROM u WHERE d = @date -- end\n"
        ") AS q CROSS JOIN `acme`.t"
    )
    assert step.jobs[0].parameters == ("date",)


def test_a_query_in_a_statement_is_judged_by_itself_first(tmp_path: Path) -> None:
    query = "-- Count rows.\n-- Parameters: none\nSELECT COUNT(*) AS n FROM (${query})\n"
    fields = {"query": {"type": "string", "format": "query"}}
    step_types = templates_with(tmp_path, query, fields, ["query"], "count")

    def violations(text: str) -> list[str]:
        return violations_of(document_of({"query": text}, "count"), step_types)

    assert compiled(document_of({"query": "SELECT 1 -- x"}, "count"), step_types).steps[0].jobs[0].sql == (
        "SELECT COUNT(*) AS n FROM (SELECT 1 -- x\n)"
    )
    assert violations("SELECT 1) UNION ALL (SELECT 2")[0].startswith(
        "/steps/0/config/query: step clean cannot be read"
    )
    assert violations("DROP TABLE t")[0].startswith("/steps/0/config/query: step clean begins with DROP")
    assert violations("SELECT * FROM victim.t")[0].startswith(
        "/steps/0/config/query: step clean reads victim.t"
    )
    assert len(violations("SELECT * FROM victim.t, other.u")) == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"query": "-- A.\nSELECT ${nobody}"}, "schema.json does not declare"),
        (
            {"query": DEDUPLICATE.replace("${keep}", "1")},
            "no job comes from \\${keep}, which schema.json declares",
        ),
        ({"fields": {k: v for k, v in FIELDS.items() if k != "keep"}}, "which schema.json does not declare"),
        ({"required": ["source_table", "keys"]}, "order_by must be required, or have a default"),
        (
            {"fields": FIELDS | {"keys": {"type": "array", "items": {"type": "string"}}}},
            "keys must have minItems",
        ),
        (
            {"fields": FIELDS | {"keep": {"type": "object", "default": {}}}},
            "keep must be a string, an integer",
        ),
        (
            {"fields": FIELDS | {"keep": {"type": "string", "format": "keyword", "default": "x"}}},
            "keep is a keyword",
        ),
        (
            {
                "fields": FIELDS
                | {"keep": {"type": "string", "format": "keyword", "enum": ["a b"], "default": "x"}}
            },
            "keep is a keyword",
        ),
    ],
)
def test_a_folder_that_contradicts_itself_is_no_type(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        templates_with(tmp_path, **changes)


def test_a_type_must_say_where_its_rows_go(tmp_path: Path) -> None:
    templates_with(tmp_path)
    path = tmp_path / "bq_etl" / "deduplicate" / "schema.json"
    schema = json.loads(path.read_text(encoding="utf-8"))
    schema["required"].remove("target_table")
    path.write_text(json.dumps(schema), encoding="utf-8")
    with pytest.raises(ValueError, match=r"target_table must be required, for destination comes from it"):
        load_step_types(tmp_path)
