"""Endpoints of configs: upload a pipeline, look at it and at its versions, delete it."""

from dataclasses import asdict
from typing import Any

from common.errors import Conflict
from common.http.edge import Edge
from common.http.endpoints.links import config_links
from common.http.routing import Access, Answer, Call, Parameter, Place, Route
from common.http.schemas import schemas
from common.http.services import PipelineServices
from common.pipelines.configs import StoredConfig
from common.pipelines.pipeline import Parameter as PipelineParameter
from common.problems import violation_document
from common.runs.sql_testing import SqlTestResult

CONFIG_ID = Parameter(
    name="config_id",
    place=Place.PATH,
    description="The pipeline's ID, the `id` in its file.",
    schema={"type": "string", "pattern": "^[a-z][a-z0-9_-]{0,62}$"},
    example="bq_etl_test",
)
TAG = Parameter(
    name="tag",
    place=Place.QUERY,
    description="Only pipelines whose file has this word among its `tags`.",
    schema={"type": "string", "minLength": 1, "maxLength": 50},
    example="sales",
)
CONFIG_VERSION = Parameter(
    name="version",
    place=Place.QUERY,
    description="A version; where none is given, the latest.",
    schema={"type": "integer", "minimum": 1, "maximum": 1_000_000_000},
    example=1,
)


def save_config(call: Call[PipelineServices]) -> Answer:
    """Upload a pipeline.

    The body is the file, YAML or JSON, of any usual content type. It is checked as a whole, and all that is
    wrong with it is told at once; `warnings` tell what breaks no rule and is perhaps not what was meant. Each
    upload that changes something is a new version: 201; the latest file once more is 200. With curl, send the
    file by `--data-binary @file`: `-d @file` strips its line breaks.
    """
    saved = call.services.configs.save(
        tenant_id=call.caller.tenant_id,
        config_id=call.path["config_id"],
        body=call.content.data,
        content_type=call.content.content_type,
        created_by=call.caller.api_key_id,
    )
    config, edge = saved.config, call.services.edge
    understood = {
        "levels": [[step.id for step in level] for level in saved.pipeline.levels],
        "parameters": [_parameter_body(parameter) for parameter in saved.pipeline.parameters],
        "warnings": [violation_document(told) for told in saved.warnings],
        "message": f"version {config.version} {'stays as it is' if saved.is_unchanged else 'is saved'}",
    }
    body = config_body(edge, config) | understood
    status = 200 if saved.is_unchanged else 201
    return Answer(body=body, status=status, headers={"Location": body["links"]["config"]})


def list_configs(call: Call[PipelineServices]) -> Answer:
    """List pipelines, the latest version of each."""
    configs = call.services.configs.list(call.caller.tenant_id, call.query.get("tag", ""))
    return Answer(body={"configs": [config_body(call.services.edge, config) for config in configs]})


def read_config(call: Call[PipelineServices]) -> Answer:
    """Show a pipeline with its text and its parameters.

    The latest version, or the one that is asked for.
    """
    config = call.services.configs.get(
        call.caller.tenant_id, call.path["config_id"], call.query.get("version")
    )
    told = {
        "pipeline_yaml": config.pipeline_yaml,
        "parameters": [_parameter_body(parameter) for parameter in config.parameters],
    }
    return Answer(body=config_body(call.services.edge, config) | told)


def list_config_versions(call: Call[PipelineServices]) -> Answer:
    """List all versions of a pipeline, deletions among them, the newest first."""
    versions = call.services.configs.versions(call.caller.tenant_id, call.path["config_id"])
    return Answer(body={"versions": [config_body(call.services.edge, config) for config in versions]})


def delete_config(call: Call[PipelineServices]) -> Answer:
    """Delete a pipeline.

    It can no longer be run. Its versions stay readable by number, and its ID can be used again.
    """
    call.services.configs.delete(call.caller.tenant_id, call.path["config_id"], call.caller.api_key_id)
    return Answer(body=None, status=204)


def test_config(call: Call[PipelineServices]) -> Answer:
    """Run the tests in a pipeline's file.

    Each is a query of the file's own rows: it reads no table, writes none, bills nothing and is no run.
    `missing` are expected rows that the step's query does not have, `unexpected` are those that it has beside
    them.
    """
    config_id = call.path["config_id"]
    version, results = call.services.tester.test(call.caller.tenant_id, config_id, call.query.get("version"))
    body = {
        "config_id": config_id,
        "version": version,
        "has_passed": all(result.has_passed for result in results),
        "tests": [_tested_body(result) for result in results],
    }
    return Answer(body=body)


def _tested_body(result: SqlTestResult) -> dict[str, Any]:
    return {
        "name": result.test.name,
        "step_id": result.test.step_id,
        "has_passed": result.has_passed,
        "missing": [asdict(row) for row in result.missing],
        "unexpected": [asdict(row) for row in result.unexpected],
        "error_message": result.error or None,
    }


def config_body(edge: Edge, config: StoredConfig) -> dict[str, Any]:
    """Describe a config without its text."""
    columns = asdict(config)
    body = {name: columns.get(name) for name in schemas()["config_summary"]["properties"]}
    return body | {"links": config_links(edge, config.config_id)}


def _parameter_body(parameter: PipelineParameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "type": parameter.type,
        "description": parameter.description,
        "required": parameter.required,
        "secret": parameter.secret,
        "default": parameter.default,
        "allowed": list(parameter.allowed),
    }


# A form, as curl calls it, must do too: `-d @file` is how the guide uploads.
PIPELINE_FILES = {
    "application/yaml": """\
pipeline:
  id: bq_etl_test
  name: Daily Data Processing
steps:
  - id: extract_data
    ps_type: bq_etl.query
    config:
      source_query: SELECT * FROM source_table
      target_table: extracted_data
""",
}

CONFIG_ROUTES: tuple[Route[PipelineServices], ...] = (
    Route(
        method="GET",
        path="/api/v1/pipelines/configs",
        endpoint=list_configs,
        access=Access.READ,
        parameters=(TAG,),
        answers={200: "config_list"},
        tag="Configs",
    ),
    Route(
        method="POST",
        path="/api/v1/pipelines/configs/{config_id}",
        endpoint=save_config,
        access=Access.MANAGE,
        parameters=(CONFIG_ID,),
        takes_any_content=True,
        content_examples=PIPELINE_FILES,
        answers={200: "config_saved", 201: "config_saved"},
        problems=(Conflict,),
        tag="Configs",
    ),
    Route(
        method="GET",
        path="/api/v1/pipelines/configs/{config_id}",
        endpoint=read_config,
        access=Access.READ,
        parameters=(CONFIG_ID, CONFIG_VERSION),
        answers={200: "config"},
        tag="Configs",
    ),
    Route(
        method="DELETE",
        path="/api/v1/pipelines/configs/{config_id}",
        endpoint=delete_config,
        access=Access.MANAGE,
        parameters=(CONFIG_ID,),
        answers={204: None},
        problems=(Conflict,),
        tag="Configs",
    ),
    Route(
        method="POST",
        path="/api/v1/pipelines/configs/{config_id}/test",
        endpoint=test_config,
        access=Access.RUN,
        parameters=(CONFIG_ID, CONFIG_VERSION),
        answers={200: "config_tested"},
        tag="Configs",
    ),
    Route(
        method="GET",
        path="/api/v1/pipelines/configs/{config_id}/versions",
        endpoint=list_config_versions,
        access=Access.READ,
        parameters=(CONFIG_ID,),
        answers={200: "config_versions"},
        tag="Configs",
    ),
)
