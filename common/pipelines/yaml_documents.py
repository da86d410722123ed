"""YAML as a pipeline file needs it: scalars as in JSON, no tags, no aliases, no key twice.

PyYAML's loaders follow YAML 1.1, where `on` is a boolean, `2024-01-01` a date and `010` eight, and where nine
lines of aliases can grow to gigabytes. This reader takes PyYAML's events alone and gives them the meaning
that they look like.
"""

import math
import re
from collections.abc import Iterator

import yaml

from common.errors import InputTooLarge

type Value = bool | int | float | str | list[Value] | dict[str, Value] | None
type Document = dict[str, Value]

MAXIMUM_DEPTH = 32

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
_MAXIMUM_DIGITS = 400


class YamlFault(Exception):
    """A text is no YAML that a pipeline file may hold."""

    def __init__(self, rule: str, line: int | None = None) -> None:
        super().__init__(f"line {line}: {rule}" if line else rule)


def read_yaml(text: str) -> Value:
    """Read one YAML document; YamlFault says the line, InputTooLarge that it is nested too deeply."""
    try:
        return _Builder().build(yaml.parse(text, Loader=yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        problem = " ".join(filter(None, (error.problem, error.context)))
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise YamlFault(f"is no YAML: {problem}", line) from None
    except yaml.YAMLError as error:
        raise YamlFault(f"is no YAML: {' '.join(str(error).split())}") from None


class _Builder:
    """Builds a value from events, with a stack of its own: depth is a rule, not the interpreter's limit."""

    def __init__(self) -> None:
        self._root: list[Value] = []
        self._open: list[list[Value] | _Mapping] = []

    def build(self, events: Iterator[yaml.Event]) -> Value:
        for event in events:
            match event:
                case yaml.AliasEvent():
                    raise YamlFault("aliases (*name) are not allowed: write the value out", _line(event))
                case yaml.ScalarEvent():
                    self._add(self._scalar(event), _line(event))
                case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                    self._start(event)
                case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                    self._open.pop()
                case yaml.DocumentStartEvent() if self._root:
                    raise YamlFault("holds a second document: one file is one pipeline", _line(event))
        return self._root[0] if self._root else None

    def _start(self, event: yaml.SequenceStartEvent | yaml.MappingStartEvent) -> None:
        _refuse_tag(event.tag, _line(event))
        if len(self._open) >= MAXIMUM_DEPTH:
            raise InputTooLarge(f"the document is nested more than {MAXIMUM_DEPTH} levels deep")
        if self._awaits_key():
            raise YamlFault("a key must be a plain name", _line(event))
        container = _Mapping() if isinstance(event, yaml.MappingStartEvent) else list[Value]()
        self._add(container.values if isinstance(container, _Mapping) else container, _line(event))
        self._open.append(container)

    def _scalar(self, event: yaml.ScalarEvent) -> Value:
        _refuse_tag(event.tag, _line(event))
        if self._awaits_key() or event.style is not None:
            return event.value
        return _plain(event.value, _line(event))

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

    def __init__(self) -> None:
        self.values: dict[str, Value] = {}
        self.key: str | None = None
        self._lines: dict[str, int] = {}

    def add(self, item: Value, line: int) -> None:
        if self.key is not None:
            self.values[self.key] = item
            self.key = None
            return
        key = str(item)
        if key in self._lines:
            raise YamlFault(f"the key {key!r} is here a second time, first in line {self._lines[key]}", line)
        self._lines[key] = line
        self.key = key


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 0


def _refuse_tag(tag: str | None, line: int) -> None:
    if tag is not None:
        raise YamlFault(f"tags ({tag}) are not allowed", line)


def _plain(text: str, line: int) -> Value:
    """Give an unquoted scalar its meaning: null, boolean, number, or the text itself."""
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if not _FLOAT.fullmatch(text):
        return text
    if len(text) > _MAXIMUM_DIGITS:
        raise YamlFault("holds a number with too many digits", line)
    if _INTEGER.fullmatch(text):
        return int(text)
    if not math.isfinite(float(text)):
        raise YamlFault(f"holds the number {text}, which is not finite", line)
    return float(text)
