"""Step types, policies and documents for tests."""

from pathlib import Path
from typing import Any

import pytest

from common.errors import InvalidInput
from common.pipelines.compile import compile_pipeline
from common.pipelines.documents import read_document
from common.pipelines.pipeline import Pipeline
from common.pipelines.step_types import StepTypes, load_step_types
from common.pipelines.tables import PUBLIC_DATA, Policy

ROOT = Path(__file__).resolve().parents[3]
TEMPLATES = ROOT / "ps_templates"
STEP_TYPES = load_step_types(TEMPLATES)
PROJECT = "platform-prod"
SOURCES = frozenset({PUBLIC_DATA, "billing-project", "gs://acme-files", "gs://local-files"})
POLICY = Policy(project_id=PROJECT, dataset="acme", allowed_sources=SOURCES)


def compiled(document: dict[str, Any] | str, step_types: StepTypes = STEP_TYPES, **changes: Any) -> Pipeline:
    """Compile a document, or the text of one, as the config `daily` of acme."""
    fields: dict[str, Any] = {
        "tenant_id": "acme",
        "config_id": "daily",
        "version": 1,
        "project_id": PROJECT,
        "policy": POLICY,
    }
    read = read_document(document.encode(), None) if isinstance(document, str) else document
    return compile_pipeline(read, step_types=step_types, **fields | changes).pipeline


def violations_of(
    document: dict[str, Any] | str, step_types: StepTypes = STEP_TYPES, **changes: Any
) -> list[str]:
    """Compile a document that breaks rules and return them, as `pointer: rule`."""
    with pytest.raises(InvalidInput) as refused:
        compiled(document, step_types, **changes)
    return [str(fault) for fault in refused.value.violations]


def a_step(
    step_id: str = "load", query: str = "SELECT 1 AS a", target: str = "t", **more: Any
) -> dict[str, Any]:
    """Describe a step; `config` in `more` adds to its config."""
    config = {"source_query": query, "target_table": target} | more.pop("config", {})
    return {"id": step_id, "ps_type": "bq_etl.query", "config": config, **more}


def a_document(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Describe a pipeline."""
    return {"pipeline": {"name": "Daily"}, "steps": list(steps or (a_step(),)), **more}
