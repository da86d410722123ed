"""Endpoints of configs: upload a pipeline, look at it and at its versions, delete it."""

from dataclasses import asdict
from typing import Any

from common.http.calls import Answer, Call, Edge
from common.http.links import config_links
from common.http.schemas import schemas
from common.http.services import PipelineServices
from common.pipelines.configs import StoredConfig
from common.pipelines.pipeline import Parameter
from common.problems import fault_document


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
        "warnings": [fault_document(told) for told in saved.warnings],
        "message": f"version {config.version} {'stays as it is' if saved.is_unchanged else 'is saved'}",
    }
    body = config_body(edge, config) | understood
    status = 200 if saved.is_unchanged else 201
    return Answer(body=body, status=status, headers={"Location": body["links"]["config"]})


def list_configs(call: Call[PipelineServices]) -> Answer:
    """List pipelines, the latest version of each."""
    configs = call.services.configs.list(call.caller.tenant_id)
    return Answer(body={"configs": [config_body(call.services.edge, config) for config in configs]})


def read_config(call: Call[PipelineServices]) -> Answer:
    """Show a pipeline with its text: the latest version, or the one that is asked for."""
    config = call.services.configs.get(
        call.caller.tenant_id, call.path["config_id"], call.query.get("version")
    )
    return Answer(body=config_body(call.services.edge, config) | {"pipeline_yaml": config.pipeline_yaml})


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


def config_body(edge: Edge, config: StoredConfig) -> dict[str, Any]:
    """Describe a config without its text."""
    columns = asdict(config)
    body = {name: columns.get(name) for name in schemas()["config_summary"]["properties"]}
    return body | {"links": config_links(edge, config.config_id)}


def _parameter_body(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "type": parameter.type,
        "description": parameter.description,
        "required": parameter.required,
        "secret": parameter.secret,
        "default": parameter.default,
    }
