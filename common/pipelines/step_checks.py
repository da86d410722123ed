"""The checks of one step: which table they look at, whether there can be any, and the plan with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from common.errors import Violation
from common.json_pointers import pointer
from common.pipelines.check_compiler import CheckCompiler
from common.pipelines.check_texts import CheckedTable, CheckTexts
from common.pipelines.checked_plans import (
    Merging,
    Publication,
    keeping_failing_rows,
    publication_of,
    with_checks,
    writers_of,
)
from common.pipelines.job_templates import Config
from common.pipelines.plans import CheckJob, Job, QueryJob
from common.pipelines.step_types import StepType, StepTypes
from common.pipelines.tables import Policy, TableName
from common.pipelines.variables import Variables

_INSTEAD = "check the table by a step of the type dq.check behind this one"


@dataclass(slots=True, kw_only=True)
class StepChecks:
    """Puts the checks of a step into its plan; `violations` are the rules that they break."""

    step_id: str
    path: tuple[str | int, ...]
    """Where the step stands in the file."""
    raw: Mapping[str, Any]
    config: Mapping[str, Any]
    type: StepType
    step_types: StepTypes
    policy: Policy
    variables: Variables
    secrets: frozenset[str]
    violations: list[Violation] = field(default_factory=list)
    reads: set[TableName] = field(default_factory=set)
    _parameters: set[str] = field(default_factory=set)

    def put_into(
        self, jobs: Sequence[Job], target: TableName | None, merging: Merging | None = None
    ) -> tuple[Job, ...]:
        """Return the plan with the step's checks; as it is where there are none, or they break rules."""
        checks = self.raw.get("checks")
        if checks is None:
            if self.type.checked:
                self._add("is required", "checks")
            if "failing_rows" in self.raw:
                self._add("goes with checks: it is their failing rows that are kept", "failing_rows")
            return tuple(jobs)
        publication = (
            publication_of(jobs, target, merging, is_under_credential=self.policy.runs_elsewhere)
            if target and jobs
            else None
        )
        table = self._read_table() if self.type.checked else self._candidate(target, jobs, publication)
        if table is None:
            return tuple(jobs)
        compiler = self._compiled(checks, table)
        self.violations += compiler.violations
        self.reads |= compiler.reads
        if self.violations or not compiler.checks or not (publication or self.type.checked):
            return tuple(jobs)
        publish = self.step_types.checks.frames["publish"].filled({"table": table.rows})
        return with_checks(jobs, publication, self._jobs(compiler, jobs), publish)

    def _compiled(self, checks: object, table: CheckedTable) -> CheckCompiler:
        compiler = CheckCompiler(
            step_id=self.step_id,
            path=self.path,
            types=self.step_types.checks,
            pipeline=self.step_types.schema,
            table=table,
            policy=self.policy,
            variables=self.variables,
            secrets=self.secrets,
        )
        compiler.compile(checks)
        return compiler

    def _candidate(
        self, target: TableName | None, jobs: Sequence[Job], publication: Publication | None
    ) -> CheckedTable | None:
        """Say where the rows are until they are published; None where the step cannot have checks."""
        if rule := self._why_not(target, jobs, publication):
            self._add(rule, "checks")
        if rule or target is None:  # What has no table for want of a rule is told where that is broken.
            return None
        candidate = publication.candidate if publication else target
        return CheckedTable(path=str(candidate), name=target.table)

    def _why_not(self, target: TableName | None, jobs: Sequence[Job], publication: Publication | None) -> str:
        if not jobs:
            return ""
        if target is None:
            return f"goes with a step that writes a table: {_INSTEAD}"
        if publication is None and writers_of(jobs, target):  # What is broken is told where it is.
            return f"cannot keep the rows of a step of the type {self.raw.get('ps_type')} back: {_INSTEAD}"
        return ""

    def _read_table(self) -> CheckedTable | None:
        """Take the table that a step of checks alone looks at."""
        text = self.config.get(self.type.checked)
        if not isinstance(text, str):
            return None
        path, rule = self.variables.path(text)
        reason = self.policy.reason_against_reading(path) if not rule else ""
        found = self.policy.resolve(path)
        if rule or reason or found is None:
            self._add(rule or f"step {self.step_id} {reason}", "config", self.type.checked)
            return None
        self.reads.add(found)
        name = found.table if self.policy.is_own(found) else str(found)
        table = CheckedTable(path=str(found), name=name)
        return replace(table, where=self._where(table)) if self.config.get(self.type.checked_where) else table

    def _where(self, table: CheckedTable) -> str:
        texts = CheckTexts(
            step_id=self.step_id,
            path=(*self.path, "config"),
            config=Config(given=self.config, schema=self.type.schema, pipeline=self.step_types.schema),
            table=table,
            frame=self.step_types.checks.frames["condition"],
            policy=self.policy,
            variables=self.variables,
            secrets=self.secrets,
        )
        where = texts.condition(self.type.checked_where)
        self.violations += texts.violations
        self.reads |= texts.reads
        self._parameters |= texts.parameters
        return where

    def _jobs(self, compiler: CheckCompiler, jobs: Sequence[Job]) -> tuple[QueryJob | CheckJob, ...]:
        limits = [job.maximum_bytes_billed for job in jobs if isinstance(job, QueryJob)]
        own = self.config.get("maximum_bytes_billed")
        most = None if self.policy.runs_elsewhere else self.policy.maximum_bytes_billed
        limit = limits[-1] if limits else int(own) if own is not None else most
        parameters = tuple(sorted(compiler.parameters | self._parameters))
        check = CheckJob(
            sql=compiler.sql,
            parameters=parameters,
            maximum_bytes_billed=limit,
            checks=tuple(one.check for one in compiler.checks),
            table=compiler.table.name,
            checked=compiler.table.path,
        )
        kept = self.raw.get("failing_rows")
        if not isinstance(kept, dict):
            return (check,)
        sql = compiler.sql_of_failing_rows(int(kept.get("max_rows", 100)), kept.get("mask", ()))
        return (keeping_failing_rows(sql, parameters, limit), check) if sql else (check,)

    def _add(self, rule: str, *path: str) -> None:
        self.violations.append(Violation(pointer((*self.path, *path)), rule))
