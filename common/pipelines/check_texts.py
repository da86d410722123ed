"""The texts of one check: each field as SQL, and each text of the tenant's judged by itself."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from common.errors import Violation
from common.json_pointers import pointer
from common.pipelines.candidates import CANDIDATE
from common.pipelines.check_types import CheckSql
from common.pipelines.fields import Field
from common.pipelines.firewall import judge_statement
from common.pipelines.job_templates import Config
from common.pipelines.origins import in_file, places_of
from common.pipelines.statement_compiler import PLACE_IN_SQL, lost_by_folding
from common.pipelines.tables import Policy, TableName
from common.pipelines.tokens import Kind, LexicalViolation, tokens, with_line_feeds
from common.pipelines.variables import Variables

_CLOSES = {")": "(", "]": "["}
TABLE = "${table}"
"""What a query of the tenant's calls the table that is checked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedTable:
    """The table that checks look at, and what the tenant calls it."""

    path: str
    """`project.dataset.table`."""
    name: str
    where: str = ""
    """A condition on the rows that are looked at, already judged; "" for all of them."""

    @property
    def rows(self) -> str:
        """The table as a query reads it."""
        return f"(SELECT * FROM `{self.path}` WHERE {self.where})" if self.where else f"`{self.path}`"

    @property
    def alias(self) -> str:
        """What the table is called in conditions."""
        return f"`{self.name.rpartition('.')[2]}`"

    @property
    def source(self) -> str:
        """The table as FROM has it."""
        return f"{self.rows} AS {self.alias}"


@dataclass(slots=True, kw_only=True)
class CheckTexts:
    """Writes the fields of one check as SQL."""

    step_id: str
    path: tuple[str | int, ...]
    config: Config
    table: CheckedTable
    frame: CheckSql
    """A statement with a place for one `${condition}`."""
    policy: Policy
    variables: Variables
    secrets: frozenset[str] = frozenset()
    violations: list[Violation] = field(default_factory=list)
    reads: set[TableName] = field(default_factory=set)
    parameters: set[str] = field(default_factory=set)

    def all(self, fields: Mapping[str, Field]) -> dict[str, str]:
        """Return a text for each place that the SQL of a type with these fields has."""
        columns: Any = self.config.value("columns") or []
        names = [name for name in columns if isinstance(name, str)]
        texts = {
            "table": self.table.source,
            "alias": self.table.alias,
            "where": self.condition("where") if self.config.value("where") else "TRUE",
            "columns_given": " AND ".join(f"`{name}` IS NOT NULL" for name in names),
        }
        return texts | {name: self._text(declared) for name, declared in fields.items()}

    def condition(self, name: str) -> str:
        """Write an expression of the tenant's in brackets; nothing in it reaches beyond them."""
        given = self.config.value(name)
        text = with_line_feeds(str(given))
        if not self._is_whole(name, given, text):
            return ""
        alone = self.frame.filled({"condition": "(\n{}\n)", "table": self.table.source})
        rendered = self._rendered(name, text, alone)
        return f"(\n{rendered}\n)"

    def _text(self, declared: Field) -> str:
        name, value = declared.name, self.config.value(declared.name)
        match declared.declaration.get("format"):
            case "expression":
                return self.condition(name)
            case "query":
                return self._query(name)
            case "table":
                return self._table(name, str(value))
        rendered, rule = declared.render(value, self.variables)
        if rule:
            self._add(name, rule)
        return rendered

    def _query(self, name: str) -> str:
        given = self.config.value(name)
        text = with_line_feeds(str(given)).rstrip("; \t\n") + "\n"
        if not self._is_whole(name, given, text):
            return ""
        pieces = (self.table.rows if piece.text == TABLE else piece.text for piece in tokens(text))
        return self._rendered(name, "".join(pieces), "{}")

    def _table(self, name: str, text: str) -> str:
        path, rule = self.variables.path(text)
        reason = self.policy.reason_against_reading(path) if not rule else ""
        table = self.policy.resolve(path)
        if rule or reason or table is None:
            self._add(name, rule or f"step {self.step_id} {reason}")
            return ""
        self.reads.add(table)
        return f"`{table}`"

    def _is_whole(self, name: str, given: object, text: str) -> bool:
        """Tell whether a text is one piece of SQL: its brackets are its own, and it ends no statement."""
        try:
            reason = lost_by_folding(name, given) or _why_not_whole(text)
        except LexicalViolation as violation:
            reason = str(violation)
        if reason:
            self._add(name, f"step {self.step_id} {reason}")
        return not reason

    def _rendered(self, name: str, text: str, statement: str) -> str:
        """Put variables in, and judge a text as part of a statement of its own."""
        rendered = self.variables.render(text)
        before, _, behind = statement.partition("{}")
        judgement = judge_statement(f"{before}{rendered.sql}{behind}", self.policy)
        pieces = [("", before), *rendered.pieces, ("", behind)]
        secret = [
            f"uses the secret {one}, which results would tell of"
            for one in rendered.parameters
            if one in self.secrets
        ]
        for reason in (*rendered.reasons, *judgement.reasons, *secret):
            self._add(name, f"step {self.step_id} {reason}", pieces)
        self.reads |= {table for table in judgement.tables if table.table != CANDIDATE}
        self.parameters |= {*rendered.parameters}
        return rendered.sql

    def _add(self, name: str, rule: str, pieces: Sequence[tuple[str, str]] = ()) -> None:
        told = PLACE_IN_SQL.search(rule)
        given: Any = self.config.value(name)
        places = places_of(given, pieces) if told and isinstance(given, str) else ()
        line, column = (told and in_file(places, int(told[1]), int(told[2]))) or (None, None)
        self.violations.append(Violation(pointer((*self.path, name)), rule, line=line, column=column))


def written(text: str) -> str:
    """Write a text as a literal: JSON's strings are BigQuery's too."""
    return json.dumps(text, ensure_ascii=False)


def _why_not_whole(text: str) -> str:
    """Say what reaches beyond a text that is put in brackets, "" for nothing."""
    opened: list[str] = []
    for piece in tokens(text):
        if piece.kind is not Kind.SYMBOL:
            continue
        if piece.text == ";":
            return f"has a ; in {piece.place}: it is one expression, or one SELECT"
        if piece.text in _CLOSES.values():
            opened.append(piece.text)
        elif piece.text in _CLOSES and (not opened or opened.pop() != _CLOSES[piece.text]):
            return f"closes a bracket in {piece.place} that it has not opened"
    if opened:
        return f"opens a bracket ({opened[-1]}) and does not close it"
    return ""
