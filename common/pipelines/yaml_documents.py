"""YAML as a pipeline file needs it: scalars as in JSON, no tags, no aliases, no key twice.

PyYAML's loaders follow YAML 1.1, where `on` is a boolean, `2024-01-01` a date and `010` eight, and where nine
lines of aliases can grow to gigabytes. This reader takes PyYAML's events alone and gives them the meaning
that they look like. What YAML would change in a text without a word is refused, or told to who reads it:
`Folded`.
"""

import math
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import yaml

from common.errors import InputTooLarge
from common.pipelines.origins import Origin, Text
from common.pipelines.yaml_rules import ESCAPES, rule_for

type Value = bool | int | float | str | list[Value] | dict[str, Value] | None
type Document = dict[str, Value]

MAX_DEPTH = 40

_NULLS = {"", "~", "null", "Null", "NULL"}
_BOOLEANS = {
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_FRACTION = re.compile(r"[-+]?[0-9]+\.[0-9]+")
_MAX_DIGITS = 400


_LINE_BREAKS_OF_YAML = re.compile("[\x85\u2028\u2029]")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_CHANGED_BY_ESCAPES = frozenset("0abevf_NLP")
"""What YAML makes control characters and blanks of, and SQL, or a pattern in it, means otherwise."""


class Folded(Text):
    """A text of several lines that YAML has made one of: each line break is a blank, or has gone."""

    __slots__ = ()


class YamlViolation(Exception):
    """A text is no YAML that a pipeline file may hold."""

    def __init__(self, rule: str, line: int | None = None, column: int | None = None) -> None:
        place = f"line {line}, column {column}" if column else f"line {line}"
        super().__init__(f"{place}: {rule}" if line else rule)
        self.line = line


def read_yaml(text: str) -> Value:
    """Read one YAML document; YamlViolation says the line, InputTooLarge that it is nested too deeply."""
    if found := _LINE_BREAKS_OF_YAML.search(text):
        rule = f"holds U+{ord(found.group()):04X}, of which YAML makes a line break: write it as an escape"
        raise YamlViolation(rule, text.count("\n", 0, found.start()) + 1)
    try:
        return _Builder(text).build(yaml.parse(text, Loader=yaml.SafeLoader))
    except yaml.reader.ReaderError as error:
        rule = (
            f"holds U+{error.character:04X}, which no YAML may hold: write it as an escape, or leave it out"
        )
        raise YamlViolation(rule, *_place_of(error.position, text)) from None
    except yaml.MarkedYAMLError as error:
        rule = rule_for(" ".join(filter(None, (error.problem, error.context))))
        raise YamlViolation(rule, *_place(error.problem_mark)) from None
    except yaml.YAMLError as error:
        raise YamlViolation(f"is no YAML: {' '.join(str(error).split())}") from None


class _Builder:
    """Builds a value from events, with a stack of its own: depth is a rule, not the interpreter's limit."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._root: list[Value] = []
        self._open: list[list[Value] | _Mapping] = []

    def build(self, events: Iterator[yaml.Event]) -> Value:
        for event in events:
            match event:
                case yaml.AliasEvent():
                    rule = (
                        "aliases (*name) are not allowed: write the value out, or in quotes if it is a text"
                    )
                    raise YamlViolation(rule, *_place(event.start_mark))
                case yaml.ScalarEvent():
                    self._add(self._scalar(event), _line(event))
                case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                    self._start(event)
                case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                    self._open.pop()
                case yaml.DocumentStartEvent() if self._root:
                    raise YamlViolation("holds a second document: one file is one pipeline", _line(event))
        return self._root[0] if self._root else None

    def _start(self, event: yaml.SequenceStartEvent | yaml.MappingStartEvent) -> None:
        _refuse_tag(event)
        if len(self._open) >= MAX_DEPTH:
            raise InputTooLarge(f"the document is nested more than {MAX_DEPTH} levels deep")
        if self._awaits_key():
            raise YamlViolation("a key must be a plain name", _line(event))
        is_mapping = isinstance(event, yaml.MappingStartEvent)
        container = _Mapping(is_in_braces=bool(event.flow_style)) if is_mapping else list[Value]()
        self._add(container.values if isinstance(container, _Mapping) else container, _line(event))
        self._open.append(container)

    def _scalar(self, event: yaml.ScalarEvent) -> Value:
        _refuse_tag(event)
        told = _with_whole_characters(event.value) if event.style == '"' else event.value
        if self._awaits_key():
            return told
        written = self._written(event)
        if event.style == '"':
            _check_escapes(written, _line(event))
        value = told if event.style is not None else _plain(told, _line(event))
        if not isinstance(value, str) or not any(blank in value for blank in " \n"):
            return value  # No query is one word.
        line, column = _place(event.start_mark)
        origin = Origin(written=written, line=line or 1, column=column or 1, style=event.style)
        return (Folded if _is_folded(written, event.style) else Text).of(value, origin)

    def _written(self, event: yaml.ScalarEvent) -> str:
        """Return a scalar as the text has it, with its quotes or its mark."""
        start, end = event.start_mark, event.end_mark
        return self._text[start.index : end.index] if start and end else ""

    def _awaits_key(self) -> bool:
        return bool(self._open) and isinstance(self._open[-1], _Mapping) and self._open[-1].key is None

    def _add(self, value: Value, line: int) -> None:
        container = self._open[-1] if self._open else self._root
        if isinstance(container, list):
            container.append(value)
        else:
            container.add(value, line)


class _Mapping:
    """A mapping being read: keys and values arrive in turn."""

    def __init__(self, *, is_in_braces: bool) -> None:
        self.is_in_braces = is_in_braces
        self.values: dict[str, Value] = {}
        self.key: str | None = None
        self._lines: dict[str, int] = {}

    def add(self, item: Value, line: int) -> None:
        if self.key is not None:
            if self.is_in_braces and item is None and " " in self.key:
                rule = f"in braces a comma ends a value: put the whole value before {self.key!r} in quotes"
                raise YamlViolation(rule, line)
            self.values[self.key] = item
            self.key = None
            return
        key = str(item)
        if key in self._lines:
            raise YamlViolation(
                f"the key {key!r} is here a second time, first in line {self._lines[key]}", line
            )
        self._lines[key] = line
        self.key = key


def _place(mark: Any) -> tuple[int | None, int | None]:
    """Return the line and the column of a mark, from 1."""
    return (mark.line + 1, mark.column + 1) if mark else (None, None)


def _place_of(index: int, text: str) -> tuple[int, int]:
    before = text[:index]
    return before.count("\n") + 1, index - before.rfind("\n")


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 0


def _is_folded(written: str, style: str | None) -> bool:
    """Tell whether a scalar had several lines and has them no more; behind `|` it keeps them."""
    lines = [line for line in written.splitlines() if line.strip()]
    return style != "|" and len(lines) > (2 if style == ">" else 1)


def _check_escapes(written: str, line: int) -> None:
    for letter in _ESCAPE.findall(written):
        if letter in _CHANGED_BY_ESCAPES:
            raise YamlViolation(f"has \\{letter}, of which YAML makes another character. {ESCAPES}", line)


def _refuse_tag(event: yaml.ScalarEvent | yaml.SequenceStartEvent | yaml.MappingStartEvent) -> None:
    """Refuse what YAML would take off a value, or take it for: a tag, an anchor."""
    place = _place(event.start_mark)
    if event.tag is not None:
        raise YamlViolation(
            f"tags ({event.tag}) are not allowed: put a text that begins so in quotes", *place
        )
    if event.anchor is not None:
        raise YamlViolation(
            f"anchors (&{event.anchor}) are not allowed: write the value out, or in quotes if it is a text",
            *place,
        )


def _with_whole_characters(text: str) -> str:
    """Put the halves together by which JSON escapes a character beyond U+FFFF; a half alone stays one."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def _plain(text: str, line: int) -> Value:
    """Give an unquoted scalar its meaning: null, boolean, number, or the text itself."""
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if not _FLOAT.fullmatch(text):
        return text
    if len(text) > _MAX_DIGITS:
        raise YamlViolation("holds a number with too many digits", line)
    if _INTEGER.fullmatch(text):
        return int(text)
    value = float(text)
    if not math.isfinite(value):
        raise YamlViolation(f"holds the number {text}, which is not finite", line)
    if _FRACTION.fullmatch(text) and Decimal(text) != Decimal(repr(value)):
        raise YamlViolation(f"holds the number {text}, of which digits would be lost: put it in quotes", line)
    return value
