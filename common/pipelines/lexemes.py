"""SQL cut into lexemes as BigQuery's own lexer cuts it: code, comments, strings, quoted names.

Everything that reads or changes tenant SQL starts here. A general parser's lexer would not do: where it finds
a comment that BigQuery takes for code, the code goes unseen.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a lexeme is; the names are the groups of the pattern below."""

    SPACE = "space"
    COMMENT = "comment"
    STRING = "string"
    QUOTED = "quoted"  # A name in backticks.
    VARIABLE = "variable"  # ${name}, which is ours and not BigQuery's.
    SYSTEM = "system"  # @@name
    PARAMETER = "parameter"  # @name
    NAME = "name"  # A keyword or a name without backticks.
    NUMBER = "number"
    BROKEN = "broken"  # What opens a comment, string or quoted name that does not end.
    SYMBOL = "symbol"


@dataclass(frozen=True, slots=True)
class Lexeme:
    """A piece of a statement, and the line and column (from 1) at which it begins."""

    kind: Kind
    text: str
    line: int
    column: int

    @property
    def place(self) -> str:
        """Where it begins, in words."""
        return f"line {self.line}, column {self.column}"


class LexicalFault(Exception):
    """A text cannot be cut into lexemes without doubt."""


_LEXEME = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<comment>--[^\n]*|\#[^\n]*|/\*.*?\*/)
    | (?P<string>(?:[rR][bB]?|[bB][rR]?)?
        (?: '''(?:\\.|[^\\])*?'''
          | \"\"\"(?:\\.|[^\\])*?\"\"\"
          | '(?!'')(?:\\[^\n]|[^'\\\n])*'
          | "(?!"")(?:\\[^\n]|[^"\\\n])*" ))
    | (?P<quoted>`[^`\\\n]+`)
    | (?P<variable>\$\{[^{}\n]{0,100}\})
    | (?P<system>@@[A-Za-z0-9_.]*)
    | (?P<parameter>@[A-Za-z_][A-Za-z0-9_]*)
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<number>[0-9][A-Za-z0-9_]*)
    | (?P<broken>/\*|'|"|`)
    | (?P<symbol>.)
    """,
    re.VERBOSE | re.DOTALL,
)
MASK = "$"
"""What stands for the text of each string in a masked statement; no name can be this."""

_INVISIBLE = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp", "Zs"}
_IN_TEXTS = {"Cf", "Zs"}
"""Invisible characters that many scripts and emoji are written with: joiners, blanks of their own."""
_TURNS_TEXT = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Bidirectional controls: they show code in another order than it is read in."""


def with_line_feeds(text: str) -> str:
    """End every line with LF: a lone CR ends a comment for BigQuery and for nobody else."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def lexemes(sql: str) -> tuple[Lexeme, ...]:
    """Cut a statement into lexemes that together are the statement; LexicalFault where that is in doubt."""
    found = []
    line = column = 1
    for match in _LEXEME.finditer(sql):
        lexeme = Lexeme(Kind(match.lastgroup or ""), match.group(), line, column)
        _check(lexeme)
        found.append(lexeme)
        line, column = _behind(lexeme.text, line, column)
    return tuple(found)


def masked(statement: Iterable[Lexeme]) -> str:
    """Return the statement with blanks for comments and MASK in each string: all code, on the same lines."""
    return "".join(_masked(lexeme) for lexeme in statement)


def column_of_masked(statement: Iterable[Lexeme], line: int, column: int) -> int:
    """Return the column, in a statement, of what is at a place of it masked."""
    at_line = at_column = 1
    found = column
    for lexeme in statement:
        if (at_line, at_column) > (line, column):
            break
        mask = _masked(lexeme)
        is_same = mask == lexeme.text
        if at_line == line:
            found = lexeme.column + (column - at_column if is_same else 0)
        elif is_same and "\n" in mask:
            found = column
        at_line, at_column = _behind(mask, at_line, at_column)
    return found


def _behind(text: str, line: int, column: int) -> tuple[int, int]:
    breaks = text.count("\n")
    return line + breaks, (len(text) - text.rfind("\n")) if breaks else column + len(text)


def _masked(lexeme: Lexeme) -> str:
    line_breaks = "\n" * lexeme.text.count("\n")
    if lexeme.kind is Kind.COMMENT:
        return f" {line_breaks}"
    return f"'{MASK}'{line_breaks}" if lexeme.kind is Kind.STRING else lexeme.text


def _check(lexeme: Lexeme) -> None:
    if lexeme.kind is Kind.BROKEN:
        what = {"/*": "comment", "`": "quoted name"}.get(lexeme.text, "string")
        raise LexicalFault(f"has a {what} that begins in {lexeme.place} and does not end")
    allowed = _IN_TEXTS if lexeme.kind in {Kind.COMMENT, Kind.STRING} else set[str]()
    for character in lexeme.text:
        category = unicodedata.category(character)
        if character in " \t\n" or category not in _INVISIBLE:
            continue
        if category in allowed and character not in _TURNS_TEXT:
            continue
        raise LexicalFault(
            f"holds the invisible character U+{ord(character):04X} in {lexeme.place}: "
            "in a string write it as an escape, elsewhere leave it out"
        )
