"""Configs: pipeline files, as the platform keeps them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NotRequired, TypedDict, cast

from common.client.api import Api
from common.client.calls import Call, Content, segment

CONFIGS = "/api/v1/pipelines/configs"
EXAMPLE = Path(__file__).with_name("example.yml")
"""A pipeline file to begin with, each part with a comment; it runs as it is."""
EXAMPLE_ID = "daily_sales"


class ConfigSummary(TypedDict):
    """A pipeline config, without its text."""

    config_id: str
    tenant_id: str
    version: int
    pipeline_name: str | None
    pipeline_version: str | None
    content_hash: str
    is_active: bool
    schedule_cron: str | None
    timezone: str | None
    priority: int | None
    created_by: str | None
    created_at: str
    recorded_at: str
    links: Mapping[str, str]


class ConfigParameter(TypedDict):
    """A parameter that a run can give."""

    name: str
    type: str
    description: str
    required: bool
    secret: bool
    default: Any
    allowed: list[Any]


class Config(ConfigSummary):
    """A pipeline config with its text and its parameters."""

    pipeline_yaml: str
    parameters: list[ConfigParameter]


class Warned(TypedDict):
    """What breaks no rule and is perhaps not what was meant."""

    pointer: str
    rule: str
    step: NotRequired[str]
    line: NotRequired[int]
    column: NotRequired[int]


class ConfigSaved(ConfigSummary):
    """What an upload came to, and how the pipeline was understood."""

    levels: list[list[str]]
    parameters: list[ConfigParameter]
    warnings: list[Warned]
    message: str


class TestedRow(TypedDict):
    """A row that is missing, or too much, and how often."""

    row: Mapping[str, Any]
    times: int


class Tested(TypedDict):
    """What one test came to."""

    name: str
    step_id: str
    has_passed: bool
    missing: list[TestedRow]
    unexpected: list[TestedRow]
    error_message: str | None


class ConfigTested(TypedDict):
    """What the tests of a config came to."""

    config_id: str
    version: int
    has_passed: bool
    tests: list[Tested]


class PipelineShown(TypedDict):
    """A pipeline in a graph."""

    config_id: str
    version: int


class StepShown(TypedDict):
    """A step in a graph; edges name it by `node`."""

    node: str
    config_id: str
    step_id: str
    level: int
    ps_type: str


class TableShown(TypedDict):
    """A table in a graph; edges name it by `node`."""

    node: str
    table: str
    is_own: bool


GraphEdge = TypedDict("GraphEdge", {"from": str, "to": str, "kind": str})
"""What comes of what: reads, writes or precedes, between steps, tables (by `node`) and pipelines (by ID)."""


class ConfigGraph(TypedDict):
    """The steps of a pipeline, the tables that they touch, and what comes of what."""

    config_id: str
    pipelines: list[PipelineShown]
    steps: list[StepShown]
    tables: list[TableShown]
    edges: list[GraphEdge]
    left_out: list[str]


@dataclass(frozen=True, slots=True)
class Configs:
    """A tenant's configs."""

    api: Api

    def versions(self, config_id: str) -> list[ConfigSummary]:
        """List all versions of a pipeline, the newest first."""
        return cast("list[ConfigSummary]", self.api.get(f"{_path(config_id)}/versions")["versions"])

    def list(self) -> list[ConfigSummary]:
        """List pipelines, the latest version of each."""
        return cast("list[ConfigSummary]", self.api.get(CONFIGS)["configs"])

    def save(self, config_id: str, content: Content) -> ConfigSaved:
        """Upload a pipeline file; the latest file once more changes nothing."""
        call = Call(method="POST", path=_path(config_id), content=content, is_repeatable=True)
        return cast("ConfigSaved", self.api.send(call).body)

    def read(self, config_id: str, version: int | None = None) -> Config:
        """Show a pipeline with its text: the latest version, or the given one."""
        return cast("Config", self.api.get(_path(config_id), version=version))

    def graph(self, config_id: str, version: int | None = None, *, across: bool = False) -> ConfigGraph:
        """Show a pipeline's steps and tables, and with `across` the pipelines that are connected with it."""
        found = self.api.get(f"{_path(config_id)}/graph", version=version, across=across or None)
        return cast("ConfigGraph", found)

    def test(self, config_id: str, version: int | None = None) -> ConfigTested:
        """Run the tests in a pipeline's file; they touch no table, so a repeat does no harm."""
        call = Call(
            method="POST", path=f"{_path(config_id)}/test", query={"version": version}, is_repeatable=True
        )
        return cast("ConfigTested", self.api.send(call).body)

    def delete(self, config_id: str) -> None:
        """Delete a pipeline; its versions stay readable by number."""
        self.api.send(Call(method="DELETE", path=_path(config_id)))


def _path(config_id: str) -> str:
    return f"{CONFIGS}/{segment(config_id)}"
