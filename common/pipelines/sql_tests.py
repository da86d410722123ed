"""Tests of a file's own SQL: rows of literals for the tables of a step, and the rows that must come of them.

Each becomes one query that reads no table, so that it runs anywhere, and touches nothing of the tenant's.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cache
from pathlib import Path
from typing import Any

from common.errors import InvalidInput, Violation
from common.json_pointers import pointer
from common.pipelines.checked_plans import FAILING_ROWS
from common.pipelines.levels import unknown_step
from common.pipelines.literal_tables import NoStandIn, with_stand_ins
from common.pipelines.literals import MAX_BYTES, LiteralRows, read_rows
from common.pipelines.parameters import bind_parameters
from common.pipelines.pipeline import BoundParameter, Parameter
from common.pipelines.plans import PUBLISH, QueryJob, StatementType
from common.pipelines.step_compiler import CompileContext, StepCompiler
from common.pipelines.tables import TableName
from common.times import from_rfc3339

STATEMENT = Path(__file__).with_name("test_statement.sql")
MISSING = "_cvg_missing"
"""The column that says how many rows are missing; where it is less than 0, how many are too many."""
DEFAULT_NOW = datetime(2024, 1, 1, tzinfo=UTC)
_PLACE = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlTest:
    """One test: a query whose rows are the differences, none where all is as expected."""

    name: str
    step_id: str
    sql: str
    parameters: tuple[BoundParameter, ...]


def compile_tests(
    tests: object,
    context: CompileContext,
    steps: Sequence[StepCompiler],
    parameters: Sequence[Parameter],
    shape_violations: Sequence[Violation],
) -> tuple[tuple[SqlTest, ...], list[Violation]]:
    """Compile what of the file's tests has its shape; the rest, the schema has told."""
    if not isinstance(tests, list):
        return (), []
    broken = {one.pointer.split("/")[2] for one in shape_violations if one.pointer.startswith("/tests/")}
    whole = {number: test for number, test in enumerate(tests) if str(number) not in broken}
    size = sum(
        len(rows["csv"].encode("utf-8", "replace")) for test in whole.values() for rows in _texts(test)
    )
    if size > MAX_BYTES or any(one.pointer == "/tests" for one in shape_violations):
        rule = f"must have at most {MAX_BYTES:,} bytes of rows in all, they have {size:,}"
        return (), [Violation("/tests", rule)] if size > MAX_BYTES else []
    by_id = {step.id: step for step in steps}
    compiled, violations = [], []
    for number, test in whole.items():
        compiler = _TestCompiler(
            number=number, test=test, context=context, steps=by_id, parameters=parameters
        )
        if found := compiler.compile():
            compiled.append(found)
        violations += compiler.violations
    return tuple(compiled), violations


def _texts(test: Mapping[str, Any]) -> list[Mapping[str, str]]:
    return [*test.get("given", {}).values(), test["expect"]]


class _TestCompiler:
    """Compiles one test, and notes what is wrong with it."""

    def __init__(
        self,
        *,
        number: int,
        test: Mapping[str, Any],
        context: CompileContext,
        steps: Mapping[str, StepCompiler],
        parameters: Sequence[Parameter],
    ) -> None:
        self.number, self.test = number, test
        self.context, self.steps, self.parameters = context, steps, parameters
        self.violations: list[Violation] = []

    def compile(self) -> SqlTest | None:
        step = self.steps.get(self.test["step"])
        if step is None:
            self._broken(unknown_step(self.test["step"], self.steps), "step")
        now = self._now()
        bound = self._bound(now)
        expected = self._rows(self.test["expect"], "expect")
        given = {name: self._rows(rows, "given", name) for name, rows in self.test.get("given", {}).items()}
        query = self._query(step) if step else None
        if step is None or query is None:
            return None
        stand_ins = self._stand_ins(step, given)
        if self.violations:
            return None
        try:
            sql = with_stand_ins(query.sql, stand_ins, self.context.policy, now)
        except NoStandIn as refused:
            self._broken(str(refused), "step")
            return None
        return SqlTest(
            name=self.test["name"],
            step_id=step.id,
            sql=_statement(sql, expected),
            parameters=tuple(one for one in bound if one.name in query.parameters),
        )

    def _query(self, step: StepCompiler) -> QueryJob | None:
        """Return the step's one SELECT; nothing is said of a step that has violations of its own."""
        own = [job for job in step.jobs if job.name not in (FAILING_ROWS, PUBLISH)]
        queries = [job for job in own if isinstance(job, QueryJob)]
        found = [job for job in queries if job.statement_type is StatementType.SELECT]
        if not found and step.jobs:
            self._broken(f"{step.id} has no SELECT of its own that could be tested", "step")
        return found[0] if found else None

    def _stand_ins(self, step: StepCompiler, given: Mapping[str, LiteralRows]) -> dict[TableName, str]:
        """Return the rows of each table that the step reads; a seed's rows are there by themselves."""
        policy = self.context.policy
        rows = {self.context.variables.path(name)[0]: held.sql for name, held in given.items()}
        named = {found: sql for path, sql in rows.items() if (found := policy.resolve(path))}
        seeds = {
            seed.target: seed.jobs[0].sql
            for seed in self.steps.values()
            if seed.is_seed and seed.target and seed.jobs
        }
        for table in sorted(step.reads - {*named, *seeds}, key=str):
            self._broken(f"lacks rows for {table}, which {step.id} reads", "given")
        for table in sorted({*named} - step.reads, key=str):
            self._broken(f"has rows for {table}, which {step.id} does not read", "given")
        return {**seeds, **named}

    def _rows(self, rows: Mapping[str, Any], *path: str) -> LiteralRows:
        place = pointer(("tests", self.number, *path, "csv"))
        found, told = read_rows(rows["csv"], rows["columns"], place)
        self.violations += told
        return found

    def _now(self) -> datetime:
        text = self.test.get("now")
        try:
            return from_rfc3339(text) if text else DEFAULT_NOW
        except ValueError:
            self._broken("must be a time with its zone, 2026-01-31T09:30:00Z", "now")
            return DEFAULT_NOW

    def _bound(self, now: datetime) -> tuple[BoundParameter, ...]:
        try:
            return bind_parameters(self.parameters, self.test.get("parameters", {}), _day(now))
        except InvalidInput as refused:
            place = pointer(("tests", self.number, "parameters"))
            self.violations += [
                Violation(f"{place}{found.pointer}", found.rule) for found in refused.violations
            ]
            return ()

    def _broken(self, rule: str, *path: str) -> None:
        self.violations.append(Violation(pointer(("tests", self.number, *path)), rule))


def _day(now: datetime) -> date:
    return datetime.combine(now.astimezone(UTC), time()).date()


def _statement(query: str, expected: LiteralRows) -> str:
    names = ", ".join(f"`{name}`" for name in expected.columns)
    casts = ", ".join(f"CAST(`{name}` AS {kind}) AS `{name}`" for name, kind in expected.columns.items())
    parts = {"query": query, "expected": expected.sql, "names": names, "casts": casts}
    return _PLACE.sub(lambda place: parts[place[1]], _template())


@cache
def _template() -> str:
    lines = STATEMENT.read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if not line.startswith("--"))
