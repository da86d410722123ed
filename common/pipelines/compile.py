"""From a document to a pipeline: every rule checked, every violation told at once."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from common.costs.budgets import budget_of
from common.errors import InvalidInput, Violation
from common.json_pointers import pointer
from common.pipelines.intervals import GIVEN_TO_ALL
from common.pipelines.lateness import lateness_violations
from common.pipelines.levels import Arrangement, arrange
from common.pipelines.parameters import FULL_REFRESH, declare_parameters
from common.pipelines.pipeline import Parameter, Pipeline, Step
from common.pipelines.plans import QueryJob
from common.pipelines.schedule import schedule_violations
from common.pipelines.schema import schema_violations
from common.pipelines.seeds import compile_seeds, seeds_first
from common.pipelines.sql_tests import SqlTest, compile_tests
from common.pipelines.step_compiler import CompileContext, StepCompiler
from common.pipelines.step_types import StepTypes
from common.pipelines.tables import Policy
from common.pipelines.variables import Variables
from common.pipelines.warnings import sql_warnings
from common.pipelines.yaml_documents import Document, Value

MAX_VIOLATIONS_TOLD = 200

_ANY_CRON = {"cron": "0 0 * * *"}
_LEVEL = re.compile(r"level_[1-9][0-9]{0,2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """The pipeline that a file describes, and what its author may want to know of it."""

    pipeline: Pipeline
    warnings: tuple[Violation, ...]
    tests: tuple[SqlTest, ...] = ()


def compile_pipeline(
    document: Document,
    *,
    tenant_id: str,
    config_id: str,
    version: int,
    project_id: str,
    step_types: StepTypes,
    policy: Policy,
) -> Compiled:
    """Check a document and return the pipeline that it describes; InvalidInput with all its violations.

    The same input gives the same pipeline.
    """
    violations = schema_violations(step_types.pipeline, document) + _nul_violations(document)
    header = _mapping(document.get("pipeline"))
    if isinstance(given := header.get("id"), str) and given != config_id:
        violations.append(
            Violation("/pipeline/id", f"must be {config_id}, the config's ID in the address, or left out")
        )
    violations += _schedule_violations(document, violations) + _notification_violations(document)
    violations += lateness_violations(document)
    parameters, broken = declare_parameters(_mapping(document.get("parameters")))
    violations += _unmet_by_firings(document, parameters)
    context = CompileContext(
        step_types=step_types,
        policy=policy,
        parameter_types={parameter.name: parameter.type for parameter in parameters},
        secrets=frozenset(parameter.name for parameter in parameters if parameter.secret),
        variables=Variables(
            identifiers={"tenant_id": policy.dataset, "project_id": project_id},
            parameters=frozenset(parameter.name for parameter in parameters),
        ),
    )
    steps = _compiled(document, context, violations)
    arrangement, disorder = _arrange(steps, document)
    seeds, spoilt = compile_seeds(document.get("seeds"), context, violations, len(steps))
    arrangement, rivals = seeds_first(arrangement, seeds, steps)
    steps = [*seeds, *steps]
    tests, wrong = compile_tests(document.get("tests"), context, steps, parameters, violations)
    disorder += [*spoilt, *rivals, *wrong]
    _refuse(
        [*violations, *broken, *(violation for step in steps for violation in step.violations), *disorder]
    )
    pipeline = Pipeline(
        tenant_id=tenant_id,
        config_id=config_id,
        version=version,
        name=header["name"],
        levels=_levels(steps, arrangement),
        parameters=_with_full_refresh(parameters, steps),
        timeout_minutes=int(header.get("timeout_minutes", 1440)),
        timezone=str(_mapping(document.get("schedule")).get("timezone", "UTC")),
        sources=tuple(sorted(policy.allowed_sources)),
        max_parallel=int(header.get("max_parallel", 0)),
        budget=budget_of(_mapping(document.get("budget"))),
    )
    found = [*arrangement.warnings, *sql_warnings([step.sql_of_step() for step in steps])]
    warnings = tuple(sorted(found, key=lambda told: _order(told.pointer)))
    return Compiled(pipeline=pipeline, warnings=warnings, tests=tests)


def _schedule_violations(document: Document, shape_violations: Sequence[Violation]) -> list[Violation]:
    """Look at what of a schedule has its shape; the schema has told the rest."""
    schedule = document.get("schedule")
    if not isinstance(schedule, dict):
        return []
    broken = {
        violation.pointer.split("/")[2]
        for violation in shape_violations
        if violation.pointer.startswith("/schedule/")
    }
    whole = {key: value for key, value in schedule.items() if key not in broken}
    found = schedule_violations(_ANY_CRON | whole)
    return [Violation(f"/schedule/{key}", rule) for key, rule in found.items() if key in whole]


def _notification_violations(document: Document) -> list[Violation]:
    """Look for recipients where there are to be some, and where there can be none."""
    given = document.get("notifications")
    entries = enumerate(given if isinstance(given, list) else [])
    rules = {
        (True, False): "is required: who the mail is for",
        (False, True): "belongs to email alone",
    }
    return [
        Violation(pointer(("notifications", number, "to")), rules[is_mail, has_to])
        for number, entry in entries
        if isinstance(entry, dict)
        and (is_mail := entry.get("type") == "email") is not (has_to := "to" in entry)
    ]


def _unmet_by_firings(document: Document, parameters: Sequence[Parameter]) -> list[Violation]:
    """Find what every firing would lack: nobody is there to give it a value."""
    schedule = document.get("schedule")
    is_fired = isinstance(schedule, dict) and schedule.get("enabled") is not False
    if not is_fired and not document.get("after"):
        return []
    what = "a schedule, whose firings give" if is_fired else "`after`, whose runs get"
    rule = f"must not be true beside {what} no values but date and the interval's bounds"
    unmet = [
        parameter
        for parameter in parameters
        if parameter.required and parameter.default is None and parameter.name not in GIVEN_TO_ALL
    ]
    return [Violation(pointer(("parameters", parameter.name, "required")), rule) for parameter in unmet]


def _compiled(
    document: Document, context: CompileContext, shape_violations: Sequence[Violation]
) -> list[StepCompiler]:
    raw_steps, defaults = document.get("steps"), _mapping(document.get("defaults"))
    steps = [
        StepCompiler(index=index, raw=defaults | raw, context=context)
        for index, raw in enumerate(raw_steps if isinstance(raw_steps, list) else [])
        if isinstance(raw, dict)
    ]
    first: dict[str, int] = {}
    for step in steps:
        step.compile(shape_violations)
        if first.setdefault(step.id, step.index) != step.index and "id" in step.raw:
            place = pointer(("steps", step.index, "id"))
            step.violations.append(Violation(place, f"is the ID of /steps/{first[step.id]} already"))
    return steps


def _with_full_refresh(
    declared: tuple[Parameter, ...], steps: Sequence[StepCompiler]
) -> tuple[Parameter, ...]:
    """Let runs make tables anew that are kept run by run, unless one of them is protected."""
    jobs = [job for step in steps for job in step.jobs if isinstance(job, QueryJob) and job.on_schema_change]
    if not jobs:
        return declared
    full_refresh = Parameter(
        name=FULL_REFRESH,
        type="BOOL",
        description="Whether the run makes the tables of its incremental steps anew.",
        default=False,
        allowed=(False,) if any(job.is_protected for job in jobs) else (),
    )
    return tuple(sorted((*declared, full_refresh), key=lambda parameter: parameter.name))


def _arrange(steps: Sequence[StepCompiler], document: Document) -> tuple[Arrangement, list[Violation]]:
    by_id: dict[str, StepCompiler] = {}
    for step in steps:
        if isinstance(step.raw.get("id"), str):
            by_id.setdefault(step.id, step)
    dependencies = document.get("dependencies")
    declared = _declared(dependencies) if isinstance(dependencies, dict) else None
    return arrange([step.node() for step in by_id.values()], declared)


def _declared(dependencies: Mapping[str, Any]) -> dict[str, list[str]]:
    """List the step IDs of each level; what has no such shape, the schema has told."""
    return {
        name: [str(_mapping(entry).get("step") or "") for entry in entries]
        for name, entries in dependencies.items()
        if _LEVEL.fullmatch(name) and isinstance(entries, list)
    }


def _levels(compiled: Sequence[StepCompiler], arrangement: Arrangement) -> tuple[tuple[Step, ...], ...]:
    steps = [one.step(arrangement.level_of[one.id], arrangement.depends_on[one.id]) for one in compiled]
    count = max(step.level for step in steps)
    return tuple(tuple(step for step in steps if step.level == level) for level in range(1, count + 1))


def _refuse(violations: Sequence[Violation]) -> None:
    """Raise where there are violations, in the order of the file's text as far as pointers tell it."""
    if not violations:
        return
    ordered = sorted(dict.fromkeys(violations), key=lambda violation: _order(violation.pointer))
    told = ordered[:MAX_VIOLATIONS_TOLD]
    if len(ordered) > len(told):
        told.append(Violation("", f"{len(ordered) - len(told):,} more faults are not listed"))
    raise InvalidInput(told, "the pipeline breaks rules")


def _order(place: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (0, part) for part in place.split("/")]


def _nul_violations(document: Document) -> list[Violation]:
    """Refuse U+0000 wherever it is; the document's depth is bounded."""
    found: list[Violation] = []
    stack: list[tuple[tuple[str | int, ...], Value]] = [((), document)]
    while stack:
        path, value = stack.pop()
        if isinstance(value, dict):
            found += [
                Violation(pointer(path), "has a key with a NUL character in it")
                for key in value
                if "\0" in key
            ]
            stack += [((*path, key), child) for key, child in value.items() if "\0" not in key]
        elif isinstance(value, list):
            stack += [((*path, index), child) for index, child in enumerate(value)]
        elif isinstance(value, str) and "\0" in value:
            found.append(Violation(pointer(path), "holds a NUL character"))
    return sorted(found, key=str)


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
