"""Compiling one step of a file by itself, before its place among the others is known.

A step's type says which jobs its config becomes (`common.pipelines.job_templates`).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any

from common.errors import Violation
from common.json_pointers import pointer
from common.pipelines.checked_plans import Merging
from common.pipelines.conditions import NoCondition, read_condition
from common.pipelines.intervals import BOUNDS, GIVEN_TO_STATEMENTS
from common.pipelines.job_compiler import JobCompiler
from common.pipelines.job_templates import JobTemplate
from common.pipelines.levels import Node
from common.pipelines.merging import merging_of
from common.pipelines.parameters import FULL_REFRESH
from common.pipelines.pipeline import OnFailure, Priority, Retry, Step
from common.pipelines.plans import Job, QueryJob, WriteDisposition
from common.pipelines.schema import schema_violations
from common.pipelines.statement_compiler import StatementCompiler
from common.pipelines.step_checks import StepChecks
from common.pipelines.step_types import StepType, StepTypes
from common.pipelines.tables import Policy, TableName
from common.pipelines.variables import Variables
from common.pipelines.warnings import SqlOfStep


@dataclass(frozen=True, slots=True, kw_only=True)
class CompileContext:
    """What the steps of a pipeline are compiled against."""

    step_types: StepTypes
    policy: Policy
    variables: Variables
    parameter_types: Mapping[str, str]
    secrets: frozenset[str] = frozenset()
    """The parameters that no condition may compare, no name of files hold, and no check count by."""


@dataclass(slots=True, kw_only=True)
class StepCompiler:
    """Compiles one step: as much of it as can be made out, and every rule that it breaks."""

    index: int
    raw: Mapping[str, Any]
    context: CompileContext
    is_seed: bool = False
    """Whether it is made of rows of the file, and is no step of the author's."""
    violations: list[Violation] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    reads: frozenset[TableName] = frozenset()
    target: TableName | None = None
    _merging: Merging | None = None
    """What a job that merges rows into the target is made of, where they are checked before."""
    _query_field: str = ""
    _asks_for: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The step's ID; its number where it has none."""
        given = self.raw.get("id")
        return given if isinstance(given, str) else f"number {self.index}"

    @property
    def config(self) -> Mapping[str, Any]:
        """The step's config, empty where there is none."""
        config = self.raw.get("config")
        return config if isinstance(config, dict) else {}

    @property
    def _policy(self) -> Policy:
        """What the step may touch: under a credential it runs in a project of the tenant's."""
        return replace(self.context.policy, runs_elsewhere=bool(self.config.get("credential")))

    def compile(self, shape_violations: Collection[Violation]) -> None:
        """Compile all that can be compiled where the file's shape has the given violations."""
        self._read_condition(shape_violations)
        step_type = self._step_type()
        if step_type is None or not isinstance(self.raw.get("config"), dict):
            return
        self.violations += schema_violations(
            step_type.validator, self.config, ("steps", self.index, "config")
        )
        broken = self._broken(shape_violations)
        credential = bool(self.config.get("credential"))
        variables = self.context.variables.with_parameters(step_type.provides)
        statements = StatementCompiler(
            step_id=self.id,
            path=("steps", self.index, "config"),
            config=step_type.config(self.config),
            policy=self._policy,
            variables=variables,
            platform_variables=variables.with_parameters(GIVEN_TO_STATEMENTS),
        )
        compiler = JobCompiler(
            statements=statements,
            policy=self.context.policy,
            broken=broken,
            is_under_credential=credential,
            parameter_types=self.context.parameter_types,
            secret_parameters=self.context.secrets,
        )
        for template in step_type.jobs:
            if broken.isdisjoint(template.when) and template.is_wanted(statements.config):
                self._add(template, compiler)
        self.violations += self._names_taken(step_type)
        for rule in step_type.rules:
            if broken.isdisjoint(rule.fields):
                found = rule.find_broken(self.config, self.context.parameter_types)
                self.violations += [
                    Violation(self._pointer("config", *name.split(".")), told) for name, told in found
                ]
        self.violations += [*compiler.violations, *statements.violations]
        self.reads, self.target = frozenset(statements.reads), compiler.target
        self._put_checks(step_type, shape_violations)

    def _put_checks(self, step_type: StepType, shape_violations: Collection[Violation]) -> None:
        """Put the step's checks into its plan, unless what the file says of them has no shape."""
        checks = StepChecks(
            step_id=self.id,
            path=("steps", self.index),
            raw=self.raw,
            config=self.config,
            type=step_type,
            step_types=self.context.step_types,
            policy=self._policy,
            variables=self.context.variables,
            secrets=self.context.secrets,
        )
        places = [f"{self._pointer(name)}/" for name in ("checks", "failing_rows")]
        if any(
            f"{violation.pointer}/".startswith(place) for violation in shape_violations for place in places
        ):
            return
        self.jobs = list(checks.put_into(self.jobs, self.target, self._merging))
        self.violations += checks.violations
        self.reads |= checks.reads

    def _read_condition(self, shape_violations: Collection[Violation]) -> None:
        place, text = self._pointer("run_if"), self.raw.get("run_if")
        if not isinstance(text, str) or any(one.pointer == place for one in shape_violations):
            return
        types = {
            name: kind
            for name, kind in self.context.parameter_types.items()
            if name not in self.context.secrets
        }
        try:
            condition = read_condition(text, types | dict.fromkeys(self.context.secrets, "secret"))
        except NoCondition as broken:
            self.violations.append(Violation(place, f"step {self.id}: the condition {broken}"))
        else:
            self._asks_for = tuple(sorted(condition.steps))

    def _names_taken(self, step_type: StepType) -> list[Violation]:
        """Find parameters of the file whose names are those of values that the step itself gives."""
        given = (
            {*step_type.provides, *GIVEN_TO_STATEMENTS, FULL_REFRESH} - {*BOUNDS}
            if step_type.provides
            else set()
        )
        taken = sorted(given & self.context.parameter_types.keys())
        rule = f"is a name that {step_type.name} itself gives a value: call the parameter otherwise"
        return [Violation(pointer(("parameters", name)), rule) for name in taken]

    def _add(self, template: JobTemplate, compiler: JobCompiler) -> None:
        if template.statement and len(template.statement.queries) == 1:
            self._query_field = template.statement.queries[0]
        if job := compiler.compile(template):
            self.jobs.append(job)
            if "checks" in self.raw:
                publish = self.context.step_types.checks.frames["publish"]
                self._merging = merging_of(template, job, compiler, publish) or self._merging

    def node(self) -> Node:
        """Return what the order of steps depends on."""
        depends_on = self.raw.get("depends_on")
        written = [job for job in self.jobs if self.target and job.destination == self.target.table]
        return Node(
            id=self.id,
            pointer=self._pointer(),
            depends_on=tuple(str(item) for item in depends_on) if isinstance(depends_on, list) else (),
            asks_for=self._asks_for,
            reads=self.reads,
            reads_at=self._pointer("config", *filter(None, [self._query_field])),
            writes=self.target,
            appends=bool(written) and all(_appends(job) for job in written),
        )

    def step(self, level: int, depends_on: Sequence[str]) -> Step:
        """Return a step without violations."""
        if not self.jobs:
            raise ValueError(f"step {self.id} has violations")
        return Step(
            id=self.id,
            ps_type=self.raw["ps_type"],
            index=self.index,
            level=level,
            jobs=tuple(self.jobs),
            target_table=self.target.table if self.target else "",
            depends_on=tuple(depends_on),
            timeout_minutes=int(self.raw.get("timeout_minutes", 60)),
            labels=dict(self.config.get("labels", {})),
            credential=self.config.get("credential", ""),
            retry=_retry(self.raw.get("retry", {})),
            on_failure=OnFailure(self.raw.get("on_failure", OnFailure.STOP)),
            run_if=self.raw.get("run_if", ""),
            priority=Priority(self.raw.get("priority", Priority.INTERACTIVE)),
        )

    def sql_of_step(self) -> SqlOfStep:
        """Return the tenant's SQL of a step without violations, for what there is to say of it."""
        queries = [job for job in self.jobs if isinstance(job, QueryJob)]
        texts = [text for job in queries for text in (*job.queries, job.sql)[:1]]
        partitioning = next((job.partitioning for job in queries if job.partitioning), None)
        return SqlOfStep(
            id=self.id,
            pointer=self._pointer("config", *filter(None, [self._query_field])),
            sql=texts[0] if texts else "",
            reads=self.reads,
            writes=self.target,
            partitioned_by=partitioning.field if partitioning else "",
        )

    def _step_type(self) -> StepType | None:
        name, known = self.raw.get("ps_type"), self.context.step_types.by_name
        if not isinstance(name, str):
            return None
        if name not in known:
            close = get_close_matches(name, known, n=1)
            meant = f"did you mean {close[0]}? " if close else ""
            told = f"is no step type; {meant}Known: {', '.join(known)}"
            self.violations.append(Violation(self._pointer("ps_type"), told))
        return known.get(name)

    def _broken(self, shape_violations: Collection[Violation]) -> frozenset[str]:
        """Name the fields that break the schema: nothing is made of them."""
        place = f"{self._pointer('config')}/"
        pointers = [violation.pointer for violation in (*shape_violations, *self.violations)]
        return frozenset(
            found.removeprefix(place).partition("/")[0] for found in pointers if found.startswith(place)
        )

    def _pointer(self, *path: str) -> str:
        return pointer(("steps", self.index, *path))


def _appends(job: Job) -> bool:
    return getattr(job, "write_disposition", None) is WriteDisposition.APPEND


def _retry(raw: Mapping[str, Any]) -> Retry:
    return Retry(attempts=int(raw.get("attempts", 3)), backoff_seconds=float(raw.get("backoff_seconds", 5)))
