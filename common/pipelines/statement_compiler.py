"""From a step's config to the statement of one of its jobs, and every rule that its SQL breaks."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from common.errors import Violation
from common.json_pointers import pointer
from common.pipelines.firewall import judge_statement
from common.pipelines.job_templates import Config, Statement
from common.pipelines.origins import Places, in_file, places_of
from common.pipelines.tables import Policy, TableName
from common.pipelines.tokens import Kind, LexicalViolation, tokens
from common.pipelines.variables import Rendered, Variables
from common.pipelines.yaml_documents import Folded

PLACE_IN_SQL = re.compile(r"\bin line (\d+), column (\d+)\b")
_LONG_QUOTES = ("'''", '"""')


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledStatement:
    """A statement without violations; `queries` are the tenant's own texts in it, each one SELECT."""

    sql: str
    parameters: tuple[str, ...]
    queries: tuple[str, ...]
    places: Places = ()


@dataclass(slots=True, kw_only=True)
class StatementCompiler:
    """Puts a config into statements: the tenant's queries are judged by themselves, and then the whole.

    A statement that the platform has written around them is judged as to the tables that fields name; what
    it is, the plan says, and BigQuery's dry run must agree before it runs.
    """

    step_id: str
    path: tuple[str | int, ...]
    """Where the config stands in the file."""
    config: Config
    policy: Policy
    variables: Variables
    """What `${name}` can be in the tenant's queries."""
    platform_variables: Variables
    """What it can be in the statements around them."""
    violations: list[Violation] = field(default_factory=list)
    reads: set[TableName] = field(default_factory=set)

    def compile(
        self, statement: Statement, broken: Collection[str], *, is_select: bool, writes: Collection[str]
    ) -> CompiledStatement | None:
        """Make a statement; None where it has violations, or is made of a field that is `broken`.

        `writes` are the fields whose tables the statement writes, which are judged where they are read.
        """
        sound = [name for name in statement.fields if name.partition(".")[0] not in broken]
        queries = [self._query(statement, name) for name in statement.queries if name in sound]
        if None in queries or len(sound) < len(statement.fields):
            return None
        rendered = self._whole(statement)
        if rendered is None or not self._is_allowed(statement, rendered, writes, is_select=is_select):
            return None
        is_plain = statement.is_plain
        return CompiledStatement(
            sql=rendered.sql,
            parameters=rendered.parameters,
            queries=tuple(query.sql for query in queries if query),
            places=places_of(self._given(statement.queries[0]), rendered.pieces) if is_plain else (),
        )

    def _query(self, statement: Statement, name: str) -> Rendered | None:
        """Judge a query of the tenant's by itself: what is put into a statement must be whole."""
        place = pointer((*self.path, *name.split(".")))
        if lost := lost_by_folding(name, self.config.value(name)):
            self._add_reasons([lost], place)
            return None
        text, _ = statement.fields[name].render(self.config.value(name), self.variables)
        rendered = self._render(self.variables, text, place)
        return rendered if rendered is not None and self._judge(rendered, place) else None

    def _whole(self, statement: Statement) -> Rendered | None:
        texts, violations = {}, []
        for name, placed in statement.fields.items():
            texts[name], rule = placed.render(self.config.value(name), self.variables)
            if rule:
                violations.append(Violation(pointer((*self.path, *name.split("."))), rule))
        self.violations += violations
        if violations:
            return None
        return self._render(self.platform_variables, statement.filled(texts), pointer(self.path))

    def _is_allowed(
        self, statement: Statement, rendered: Rendered, writes: Collection[str], *, is_select: bool
    ) -> bool:
        if is_select:
            return statement.is_plain or self._judge(rendered, pointer(self.path))
        found: list[Violation] = []
        for name in frozenset(statement.tables) - {*writes}:
            path, rule = self.variables.path(str(self.config.value(name)))
            found += self.violations_of_reading(path, rule, pointer((*self.path, *name.split("."))))
        self.violations += found
        return not found

    def violations_of_reading(self, path: Sequence[str], rule: str, place: str) -> list[Violation]:
        """Take a table that a field names among those that are read, or return the rule against it."""
        reason = rule or self.policy.reason_against_reading(path)
        if reason:
            return [Violation(place, rule or f"step {self.step_id} {reason}")]
        if table := self.policy.resolve(path):
            self.reads.add(table)
        return []

    def _render(self, variables: Variables, text: str, place: str) -> Rendered | None:
        try:
            return variables.render(text)
        except LexicalViolation as violation:
            self._add_reasons([str(violation)], place, [(text, text)])
            return None

    def _judge(self, rendered: Rendered, place: str) -> bool:
        judgement = judge_statement(rendered.sql, self.policy)
        self.reads |= judgement.tables
        written = "".join(text for text, _ in rendered.pieces)
        self._add_reasons(rendered.reasons, place, [(written, written)])
        self._add_reasons(judgement.reasons, place, rendered.pieces)
        return not rendered.reasons and not judgement.reasons

    def _add_reasons(
        self, reasons: Sequence[str], place: str, pieces: Sequence[tuple[str, str]] = ()
    ) -> None:
        """Add rules that SQL breaks; `pieces` are the SQL that they tell places of, as it was written."""
        name = place.removeprefix(f"{pointer(self.path)}/").replace("/", ".")
        for reason in reasons:
            told = PLACE_IN_SQL.search(reason)
            places = places_of(self._given(name), pieces) if told else ()
            line, column = (told and in_file(places, int(told[1]), int(told[2]))) or (None, None)
            self.violations.append(
                Violation(place, f"step {self.step_id} {reason}", line=line, column=column)
            )

    def _given(self, name: str) -> Any:
        return self.config.value(name) or ""


def lost_by_folding(name: str, text: object) -> str:
    """Say what a query has lost with its line breaks, "" for nothing."""
    if not isinstance(text, Folded):
        return ""
    try:
        found = tokens(text)
    except LexicalViolation:  # Which is told where the query is judged.
        return ""
    if any(token.kind is Kind.COMMENT and token.text[:1] in "-#" for token in found):
        what = "a comment (-- or #), and the lines behind it have become part of it"
    elif any(token.kind is Kind.STRING and token.text.lstrip("rRbB")[:3] in _LONG_QUOTES for token in found):
        what = "a string in three quotes, and its line breaks may be lost"
    else:
        return ""
    return f"has {what}: YAML makes one line of a text of several. Write `{name}: |` and the text below it"
