"""The templates that are shipped: their schemas, their examples, and the guide's own pipeline."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from common.pipelines.documents import read_document
from common.pipelines.pipeline import Retry, Step
from common.pipelines.plans import Partitioning, QueryJob
from common.pipelines.schema import schema_violations, validator_for
from common.pipelines.values import TYPES
from tests.unit.pipelines.examples import ROOT, STEP_TYPES, TEMPLATES, compiled

SCHEMAS = sorted([TEMPLATES / "pipeline.schema.json", *TEMPLATES.glob("*/*/schema.json")])
FOLDERS = sorted(path.parent for path in TEMPLATES.glob("*/*/plan.json"))
NAMES = [f"{folder.parent.name}.{folder.name}" for folder in FOLDERS]
PIPELINE: dict[str, Any] = json.loads((TEMPLATES / "pipeline.schema.json").read_text(encoding="utf-8"))


def parts(schema: Any, place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """List a schema and all schemas inside it, each with its place."""
    yield place, schema
    for key in ("properties", "$defs"):
        for name, inner in schema.get(key, {}).items():
            yield from parts(inner, f"{place}/{key}/{name}")
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            yield from parts(schema[key], f"{place}/{key}")


@pytest.fixture(params=SCHEMAS, ids=lambda path: str(path.relative_to(TEMPLATES)))
def schema(request: pytest.FixtureRequest) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(request.param.read_text(encoding="utf-8"))
    return loaded


def test_each_schema_is_one(schema: dict[str, Any]) -> None:
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(schema)


def test_each_property_says_what_it_is_and_each_object_takes_no_other(schema: dict[str, Any]) -> None:
    for place, part in parts(schema):
        is_named = "/properties/" in place or "/$defs/" in place or not place
        assert not is_named or part.get("description"), place
        if part.get("type") == "object" and not place.endswith("/config"):
            assert "additionalProperties" in part, place


def test_each_example_keeps_the_schema_that_it_is_in(schema: dict[str, Any]) -> None:
    examples = 0
    for place, part in parts(schema):
        referring = {**part, "$id": f"urn:test:{place}", "$defs": schema.get("$defs", {})}
        validator = validator_for(referring, PIPELINE)
        for example in [*part.get("examples", ()), *([part["default"]] if "default" in part else [])]:
            examples += 1
            assert schema_violations(validator, example) == [], place
    assert examples > 2


@pytest.mark.parametrize("example", PIPELINE["examples"], ids=lambda example: example["pipeline"]["name"])
def test_each_example_of_a_pipeline_compiles(example: dict[str, Any]) -> None:
    assert compiled(example, config_id=example["pipeline"].get("id", "daily")).levels


@pytest.mark.parametrize("name", NAMES)
def test_each_example_of_a_config_compiles(name: str) -> None:
    checks = [{"type": "row_count", "min": 1}] if STEP_TYPES.by_name[name].checked else None
    for config in STEP_TYPES.by_name[name].validator.schema["examples"]:  # type: ignore[index]
        document = {
            "pipeline": {"name": "Example"},
            "steps": [
                {"id": "a", "ps_type": name, "config": config} | ({"checks": checks} if checks else {})
            ],
        }
        assert compiled(document).levels


@pytest.mark.parametrize("folder", FOLDERS, ids=NAMES)
def test_each_step_type_is_explained_and_its_example_compiles(folder: Any) -> None:
    name = f"{folder.parent.name}.{folder.name}"
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert readme.startswith(f"# `{name}`")
    for field in json.loads((folder / "schema.json").read_text(encoding="utf-8"))["properties"]:
        assert f"`{field}`" in readme, f"README.md does not explain {field}"
    document = read_document((folder / "example.yml").read_bytes(), None)
    header: Any = document["pipeline"]
    pipeline = compiled(document, config_id=header["id"])
    assert name in {step.ps_type for step in pipeline.steps}


def test_the_types_of_parameters_are_those_that_can_be_bound() -> None:
    kinds = PIPELINE["properties"]["parameters"]["additionalProperties"]["properties"]["type"]["enum"]
    assert tuple(kinds) == TYPES


def test_defaults_in_the_schema_are_those_of_a_compiled_pipeline() -> None:
    retry = PIPELINE["$defs"]["retry"]["properties"]
    query = QueryJob(sql="", destination="t")
    step = Step(id="a", ps_type="x.y", index=0, level=1, jobs=(query,), target_table="t")
    assert PIPELINE["$defs"]["step_timeout"]["default"] == step.timeout_minutes
    assert PIPELINE["$defs"]["on_failure"]["default"] == step.on_failure
    assert PIPELINE["$defs"]["step_priority"]["default"] == step.priority
    assert (
        Retry(attempts=retry["attempts"]["default"], backoff_seconds=retry["backoff_seconds"]["default"])
        == Retry()
    )
    assert PIPELINE["$defs"]["write_disposition"]["default"] == query.write_disposition
    partitioning = PIPELINE["$defs"]["partitioning"]["properties"]["type"]["default"]
    assert Partitioning(field="a", type=partitioning) == Partitioning(field="a")
    minutes = PIPELINE["properties"]["pipeline"]["properties"]["timeout_minutes"]["default"]
    assert (
        compiled({"pipeline": {"name": "x"}, "steps": PIPELINE["examples"][1]["steps"]}).timeout_minutes
        == minutes
    )


# The guide's own pipeline


def setup_file() -> bytes:
    return (ROOT / "configs/setup/bq_etl_test.yml").read_bytes()


def test_the_guides_pipeline_survives_the_loss_of_its_line_breaks() -> None:
    whole = setup_file()
    stripped = whole.replace(b"\r", b"").replace(b"\n", b"")
    assert whole.count(b"\n") > 40
    assert read_document(whole, "application/yaml") == read_document(stripped, "application/json")


def test_the_guides_pipeline_has_two_levels_and_binds_the_date() -> None:
    pipeline = compiled(read_document(setup_file(), None), config_id="bq_etl_test")
    assert [[step.id for step in level] for level in pipeline.levels] == [
        ["extract_data"],
        ["transform_data"],
    ]
    assert [step.target_table for step in pipeline.steps] == ["bq_etl_test_extracted", "bq_etl_test_final"]
    assert [step.jobs[0].parameters for step in pipeline.steps] == [("date",), ("date",)]
    assert "FROM `acme`.bq_etl_test_extracted" in pipeline.steps[1].jobs[0].sql


def test_the_guides_example_compiles() -> None:
    text = """
pipeline:
  id: "data_processing"
  name: "Daily Data Processing"
  version: "1.0.0"

dependencies:
  level_1:
    - step: extract_data
  level_2:
    - step: transform_data

steps:
  - id: extract_data
    ps_type: "bq_etl.query"
    config:
      source_query: "SELECT * FROM source_table"
      target_table: "${tenant_id}.extracted_data"
      write_disposition: "WRITE_TRUNCATE"

  - id: transform_data
    ps_type: "bq_etl.query"
    config:
      source_query: "SELECT processed_columns FROM ${tenant_id}.extracted_data"
      target_table: "${tenant_id}.final_data"
"""
    pipeline = compiled(text, config_id="data_processing")
    assert [step.jobs[0].sql for step in pipeline.steps] == [
        "SELECT * FROM source_table",
        "SELECT processed_columns FROM `acme`.extracted_data",
    ]
