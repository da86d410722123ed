"""SQL cut into tokens as BigQuery's own lexer cuts it: code, comments, strings, quoted names.

Everything that reads or changes tenant SQL starts here. A general parser's lexer would not do: where it finds
a comment that BigQuery takes for code, the code goes unseen.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache


class Kind(StrEnum):
    """What a token is; the names are the groups of the pattern below."""

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
class Token:
    """A token of a statement, and the line and column (from 1) at which it begins."""

    kind: Kind
    text: str
    line: int
    column: int

    @property
    def place(self) -> str:
        """Where it begins, in words."""
        return f"line {self.line}, column {self.column}"


class LexicalViolation(Exception):
    """A text cannot be cut into tokens without doubt."""


_TOKEN = re.compile(
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

STATEMENTS_KEPT = 4
"""Each rule of a step asks for the tokens of its statement, one after the other."""
_IN_PATTERNS = frozenset({Kind.NAME, Kind.QUOTED, Kind.NUMBER})
SIGNS_OF_PATTERNS = frozenset("|*+?{},()^$")
"""What stands between the names of rows in the PATTERN of MATCH_RECOGNIZE."""
_KINDS = {kind.value: kind for kind in Kind}
_BLANKS = " \t\n"
_INVISIBLE = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp", "Zs"}
_IN_TEXTS = {"Cf", "Zs"}
"""Invisible characters that many scripts and emoji are written with: joiners, blanks of their own."""
_LOOK_ALIKES = {
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u00b4", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
    **dict.fromkeys("\u2010\u2011\u2013\u2014\u2212", "-"),
    "\u00d7": "*",
    "\u00f7": "/",
    "\u2260": "<>",
    "\u2264": "<=",
    "\u2265": ">=",
}
"""What editors, chats and documents make of SQL's signs."""
_TURNS_TEXT = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Bidirectional controls: they show code in another order than it is read in."""


def with_line_feeds(text: str) -> str:
    """End every line with LF: a lone CR ends a comment for BigQuery and for nobody else."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


@lru_cache(maxsize=STATEMENTS_KEPT)
def tokens(sql: str) -> tuple[Token, ...]:
    """Cut a statement into tokens that are the statement; LexicalViolation where that is in doubt."""
    found = []
    line = column = 1
    # A file of some hundred steps has a hundred thousand tokens: what most of them are comes first.
    for match in _TOKEN.finditer(sql):
        text = match.group()
        token = Token(_KINDS[match.lastgroup or ""], text, line, column)
        found.append(token)
        if token.kind is Kind.BROKEN or not (
            text.isascii() and (text.isprintable() or not text.strip(_BLANKS))
        ):
            _check(token)
        if "\n" in text:
            line, column = _behind(text, line, column)
        else:
            column += len(text)
    return tuple(found)


def without_patterns(code: Sequence[Token]) -> list[Token]:
    """Leave out the patterns of MATCH_RECOGNIZE, whose signs mean something else there; `code` has no blanks.

    Only a pattern of names, numbers and its own signs is one.
    """
    kept: list[Token] = []
    opened: list[str] = []
    depth = 0
    for place, token in enumerate(code):
        before = code[place - 1].text.upper() if place else ""
        if depth or (token.text == "(" and before == "PATTERN" and opened[-1:] == ["MATCH_RECOGNIZE"]):
            if token.kind not in _IN_PATTERNS and token.text not in SIGNS_OF_PATTERNS:
                return list(code)
            depth += (token.text == "(") - (token.text == ")")
            continue
        if token.text == "(":
            opened.append(before)
        elif token.text == ")" and opened:
            opened.pop()
        kept.append(token)
    return list(code) if depth else kept


def masked(statement: Iterable[Token]) -> str:
    """Return the statement with blanks for comments and MASK in each string: all code, on the same lines."""
    return "".join(_masked(token) for token in statement)


def column_of_masked(statement: Iterable[Token], line: int, column: int) -> int:
    """Return the column, in a statement, of what is at a place of it masked."""
    at_line = at_column = 1
    found = column
    for token in statement:
        if (at_line, at_column) > (line, column):
            break
        mask = _masked(token)
        is_same = mask == token.text
        if at_line == line:
            found = token.column + (column - at_column if is_same else 0)
        elif is_same and "\n" in mask:
            found = column
        at_line, at_column = _behind(mask, at_line, at_column)
    return found


def _behind(text: str, line: int, column: int) -> tuple[int, int]:
    breaks = text.count("\n")
    return line + breaks, (len(text) - text.rfind("\n")) if breaks else column + len(text)


def _masked(token: Token) -> str:
    line_breaks = "\n" * token.text.count("\n")
    if token.kind is Kind.COMMENT:
        return f" {line_breaks}"
    return f"'{MASK}'{line_breaks}" if token.kind is Kind.STRING else token.text


def _check(token: Token) -> None:
    if token.kind is Kind.BROKEN:
        what = {"/*": "comment", "`": "quoted name"}.get(token.text, "string")
        raise LexicalViolation(f"has a {what} that begins in {token.place} and does not end")
    if not token.text.strip(_BLANKS):
        return
    allowed = _IN_TEXTS if token.kind in {Kind.COMMENT, Kind.STRING} else set[str]()
    for character in token.text:
        category = unicodedata.category(character)
        if character in _BLANKS or category not in _INVISIBLE:
            continue
        if category in allowed and character not in _TURNS_TEXT:
            continue
        raise LexicalViolation(
            f"holds the invisible character U+{ord(character):04X} in {token.place}: "
            "in a string write it as an escape, elsewhere leave it out"
        )
    if token.kind is Kind.SYMBOL and not token.text.isascii():
        raise LexicalViolation(f"has {token.text} in {token.place}: {_meant_by(token.text)}")


def _meant_by(character: str) -> str:
    """Say what to write for a character that SQL does not know outside quotes and comments."""
    meant = _LOOK_ALIKES.get(character) or unicodedata.normalize("NFKC", character)
    if meant.isascii():
        return f"SQL takes {meant}"
    return "a name with such a character stands in backticks, a text in quotes"
