"""From a step's checks to one statement that counts for all of them, and every rule that they break.

A tenant's texts in it (conditions, values, queries) are hostile until each has been judged by itself: a
bracket that closes what it has not opened, or a second statement, would be part of what the platform writes.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from common.errors import Violation
from common.json_pointers import pointer
from common.json_schema import Schema
from common.pipelines.check_texts import CheckedTable, CheckTexts, written
from common.pipelines.check_types import CheckType, CheckTypes
from common.pipelines.firewall import judge_statement
from common.pipelines.job_templates import Config
from common.pipelines.schema import schema_violations
from common.pipelines.tables import Policy, TableName
from common.pipelines.variables import Variables
from common.quality.checks import Bounds, Check, ColumnContract, Judgement, Severity, Tolerance

MAX_NAME_CHARACTERS = 64
_NO_NAME = re.compile(r"[^a-z0-9_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledCheck:
    """A check without violations, and the texts for the places of its type's SQL."""

    check: Check
    type: CheckType
    texts: Mapping[str, str]


@dataclass(slots=True, kw_only=True)
class CheckCompiler:
    """Compiles the checks of one step, all of one table."""

    step_id: str
    path: tuple[str | int, ...]
    """Where the step stands in the file."""
    types: CheckTypes
    pipeline: Schema
    table: CheckedTable
    policy: Policy
    variables: Variables
    secrets: frozenset[str] = frozenset()
    """The parameters that are secret: what is counted would tell of them."""
    violations: list[Violation] = field(default_factory=list)
    checks: list[CompiledCheck] = field(default_factory=list)
    reads: set[TableName] = field(default_factory=set)
    parameters: set[str] = field(default_factory=set)

    def compile(self, raw: object) -> None:
        """Compile all checks that can be."""
        names: dict[str, int] = {}
        for number, one in enumerate(raw if isinstance(raw, list) else []):
            compiled = self._compiled(number, one) if isinstance(one, dict) else None
            if compiled is None:
                continue
            first = names.setdefault(compiled.check.name, number)
            if first != number:
                rule = f"is called {compiled.check.name}, as /checks/{first} of the step is: give it a name"
                self.violations.append(Violation(pointer((*self.path, "checks", number)), rule))
            self.checks.append(compiled)
        if self.checks and not self.violations:
            self._judge_whole()

    @property
    def sql(self) -> str:
        """The statement whose one row has the counts of all checks."""
        measures, others = ["COUNT(*) AS row_count"], list[str]()
        for number, one in enumerate(self.checks):
            if found := one.type.measures:
                names = (f"checked_{number}", f"failed_{number}", f"observed_{number}")
                pairs = zip(found, names, strict=True)
                measures += [f"{sql.filled(one.texts)} AS {name}" for sql, name in pairs]
            elif one.type.counting:
                own = {"number": str(number), "statement": one.type.counting.filled(one.texts)}
                others.append(self.types.frames["other_check"].filled(own))
        texts = {"measures": ",\n    ".join(measures), "others": "\n".join(others)}
        return self.types.frames["checks"].filled(texts | {"table": self.table.source}).strip()

    def sql_of_failing_rows(self, max_rows: int, mask: Sequence[str]) -> str:
        """Return the statement of rows that break checks, as they are kept; "" where no check has any."""
        hidden = ", ".join(f"'***' AS `{column}`" for column in mask)
        kept = [
            self.types.frames["failing_rows"].filled(
                {
                    "step": written(self.step_id),
                    "table_name": written(self.table.name),
                    "check": written(one.check.name),
                    "columns": f"* REPLACE ({hidden})" if mask else "*",
                    "rows": one.type.rows.filled(one.texts),
                    "limit": str(max_rows),
                },
            )
            for one in self.checks
            # What columns a query's rows have, nobody knows: none of them could be masked.
            if one.type.rows and not (mask and "query" in one.type.fields)
        ]
        return "\nUNION ALL\n".join(kept)

    def _compiled(self, number: int, raw: Mapping[str, Any]) -> CompiledCheck | None:
        path = (*self.path, "checks", number)
        kind = self._type(raw, path)
        if kind is None:
            return None
        broken = schema_violations(kind.validator, raw, path)
        if kind.one_of and not any(name in raw for name in kind.one_of) and not broken:
            broken = [Violation(pointer(path), f"must have {' or '.join(kind.one_of)}")]
        if not broken and _is_empty(raw.get("min"), raw.get("max")):
            broken = [Violation(pointer((*path, "max")), f"must not be less than the min, {raw['min']}")]
        self.violations += broken
        if broken:
            return None
        config = Config(given=raw, schema=kind.schema, pipeline=self.pipeline)
        texts = CheckTexts(
            step_id=self.step_id,
            path=path,
            config=config,
            table=self.table,
            frame=self.types.frames["condition"],
            policy=self.policy,
            variables=self.variables,
            secrets=self.secrets,
        )
        found = texts.all(kind.fields)
        self.violations += texts.violations
        self.reads |= texts.reads
        self.parameters |= texts.parameters
        return None if texts.violations else CompiledCheck(check=_check(kind, config), type=kind, texts=found)

    def _type(self, raw: Mapping[str, Any], path: tuple[str | int, ...]) -> CheckType | None:
        name, known = raw.get("type"), self.types.by_name
        if isinstance(name, str) and name not in known:
            close = get_close_matches(name, known, n=1)
            meant = f"did you mean {close[0]}? " if close else ""
            told = f"is no type of check; {meant}Known: {', '.join(known)}"
            self.violations.append(Violation(pointer((*path, "type")), told))
        return known.get(name) if isinstance(name, str) else None

    def _judge_whole(self) -> None:
        """Judge what has become of the texts together, as it will be judged again before it runs."""
        reasons = judge_statement(self.sql, self.policy).reasons
        place = pointer((*self.path, "checks"))
        self.violations += [Violation(place, f"step {self.step_id} {reason}") for reason in reasons]


def _is_empty(least: Any, most: Any) -> bool:
    """Tell whether no value is within bounds, as far as they are numbers."""
    return isinstance(least, int | float) and isinstance(most, int | float) and least > most


def _check(kind: CheckType, config: Config) -> Check:
    def number(name: str) -> float | None:
        value: Any = config.value(name)
        return None if value is None else float(value)

    rows: Any = config.value("max_failed_rows")
    columns: Any = config.value("columns")
    is_compared = kind.judgement is Judgement.VALUE and (
        config.value("max_change_percent") is not None or config.value("max_deviations") is not None
    )
    is_value = kind.judgement is Judgement.VALUE
    return Check(
        name=str(config.value("name") or _name(kind, config)),
        type=kind.name,
        judgement=kind.judgement,
        severity=Severity(str(config.value("severity"))),
        description=str(config.value("description") or ""),
        expected=_in_words(kind.expected, config),
        tolerance=Tolerance(
            max_failed_rows=None if rows is None else int(rows),
            max_failed_percent=number("max_failed_percent"),
        ),
        bounds=Bounds(
            minimum=number("min") if is_value else None,
            maximum=number("max") if is_value else None,
            max_change_percent=number("max_change_percent"),
            max_deviations=number("max_deviations"),
            earlier_runs=int(number("earlier_runs") or 0) if is_compared else 0,
        ),
        columns=(
            tuple(ColumnContract(**column) for column in columns)
            if kind.judgement is Judgement.COLUMNS
            else ()
        ),
        allows_more_columns=config.value("more_columns") is not False,
    )


def _name(kind: CheckType, config: Config) -> str:
    """Name a check by its type and the columns that it is of."""
    named: Any = config.value("column") or config.value("columns") or []
    columns = [named] if isinstance(named, str) else [one for one in named if isinstance(one, str)]
    name = _NO_NAME.sub("_", "_".join([kind.name, *columns]).lower())
    return name[:MAX_NAME_CHARACTERS].rstrip("_")


def _in_words(text: str, config: Config) -> str:
    def value(found: re.Match[str]) -> str:
        given: Any = config.value(found[1])
        return ", ".join(str(one) for one in given) if isinstance(given, list) else str(given)

    return re.sub(r"\$\{(\w+)\}", value, text)
