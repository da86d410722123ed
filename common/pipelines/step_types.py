"""Step types: what a pipeline's step can be. Each is a folder of data, `ps_templates/<family>/<type>/`.

`schema.json` declares the fields of a step's config, `plan.json` the jobs that it becomes
(`common.pipelines.job_templates`), with a file of SQL for each job that has a statement, in which `${field}`
stands for a field. How a field is put into a statement follows from its declaration (`fields.py`), so a new
type needs no Python. What only Python can say of a config is a rule of `common.pipelines.type_rules`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonschema.protocols import Validator

from common.json_schema import Schema
from common.pipelines.check_types import CheckTypes, load_check_types
from common.pipelines.job_templates import Config, JobTemplate, read_plan
from common.pipelines.schema import validator_for
from common.pipelines.type_rules import RULES, Rule

TEMPLATES = Path(__file__).parents[2] / "ps_templates"
"""What a step can be: each type in a folder of its own."""

FIELDS_OF_ALL = frozenset({"credential", "labels"})
"""Fields that hold for a step and all its jobs, where its type declares them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepType:
    """One kind of step: what its config must look like, and the jobs that it becomes."""

    name: str
    validator: Validator
    schema: Schema
    pipeline: Schema
    jobs: tuple[JobTemplate, ...]
    rules: tuple[Rule, ...] = ()
    provides: frozenset[str] = frozenset()
    """Names for which the step itself has values in the tenant's queries."""
    checked: str = ""
    """The field that names the table which its checks look at; "" where that is the table that it writes."""
    checked_where: str = ""
    """The field that says which of its rows they look at, "" where there is none."""

    def config(self, given: Mapping[str, Any]) -> Config:
        """Read a step's config with the defaults of this type."""
        return Config(given=given, schema=self.schema, pipeline=self.pipeline)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTypes:
    """All step types of a folder of templates, and the schema of the file around them."""

    pipeline: Validator
    schema: Schema
    """The file's own."""
    checks: CheckTypes
    by_name: Mapping[str, StepType]


def load_step_types(folder: Path) -> StepTypes:
    """Read `ps_templates/`; ValueError where a template contradicts itself."""
    pipeline = read_json(folder / "pipeline.schema.json")
    types = (_load(name, path, pipeline) for name, path in type_folders(folder).items())
    return StepTypes(
        pipeline=validator_for(pipeline),
        schema=pipeline,
        checks=load_check_types(folder, pipeline),
        by_name={item.name: item for item in types},
    )


def type_folders(folder: Path) -> dict[str, Path]:
    """Find the folders of step types, by their names."""
    plans = sorted(folder.glob("*/*/plan.json"))
    return {f"{plan.parent.parent.name}.{plan.parent.name}": plan.parent for plan in plans}


def _load(name: str, folder: Path, pipeline: Schema) -> StepType:
    schema, plan = read_json(folder / "schema.json"), read_json(folder / "plan.json")
    jobs = read_plan(name, folder, plan, schema, pipeline)
    rules = {rule: RULES.get(rule) for rule in plan.get("rules", ())}
    if None in rules.values():
        raise ValueError(f"{name}: plan.json names a rule that common.pipelines.type_rules does not have")
    fed = {field.partition(".")[0] for job in jobs for field in (*job.fed_by, *job.when)}
    if "checked" in plan:
        fed |= {plan["checked"], plan.get("checked_where", ""), "maximum_bytes_billed"}
    if idle := schema["properties"].keys() - fed - FIELDS_OF_ALL:
        raise ValueError(f"{name}: no job comes from ${{{min(idle)}}}, which schema.json declares")
    return StepType(
        name=name,
        validator=validator_for(schema, pipeline),
        schema=schema,
        pipeline=pipeline,
        jobs=jobs,
        rules=tuple(filter(None, rules.values())),
        provides=frozenset(plan.get("provides", ())),
        checked=plan.get("checked", ""),
        checked_where=plan.get("checked_where", ""),
    )


def read_json(path: Path) -> dict[str, Any]:
    """Read a schema of a template."""
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded
