"""The form that a run is asked for by: a field for each parameter that its pipeline declares."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from common.client.configs import ConfigParameter

DATE = "date"
BOUNDS = frozenset({"interval_start", "interval_end"})
"""What every run gets by itself."""
TRUE_AND_FALSE = {"true": True, "false": False}
NUMBERS = {"INT64": re.compile(r"[+-]?\d{1,19}"), "FLOAT64": re.compile(r"[+-]?\d*\.?\d+([eE][+-]?\d+)?")}
INPUTS = {"INT64": "number", "DATE": "date"}
EXAMPLES = {
    "TIMESTAMP": "2024-01-01T00:00:00Z",
    "DATETIME": "2024-01-01T00:00:00",
    "TIME": "09:30:00",
    "FLOAT64": "1.5",
    "NUMERIC": "10.25",
    "BYTES": "AP8=",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One parameter's field: how it is asked for, and what was given before."""

    name: str
    type: str
    told: str
    is_required: bool
    is_secret: bool
    is_list: bool
    input: str
    choices: tuple[str, ...]
    placeholder: str
    given: str = ""

    @property
    def label(self) -> str:
        """The field's name for people."""
        return "Day" if self.name == DATE else self.name


def fields_of(parameters: Sequence[ConfigParameter], given: Mapping[str, str]) -> list[Field]:
    """Make the fields of a pipeline's parameters, the day first; secrets are never filled in again."""
    fields = [_field(one, given.get(field_name(one["name"]), "")) for one in parameters]
    return sorted((one for one in fields if one.name not in BOUNDS), key=lambda one: one.name != DATE)


def field_name(parameter: str) -> str:
    """Name a parameter's field."""
    return f"parameter.{parameter}"


def values_of(parameters: Sequence[ConfigParameter], form: Mapping[str, str]) -> dict[str, Any]:
    """Read what a form gives: a field that is empty gives nothing, what is no value the API refuses."""
    values = {}
    for one in parameters:
        text = form.get(field_name(one["name"]), "").replace("\r\n", "\n")
        if text.strip():
            values[one["name"]] = _value(one["type"], text)
    return values


def _field(one: ConfigParameter, given: str) -> Field:
    kind = one["type"]
    is_list = kind.startswith("ARRAY<")
    choices = ("true", "false") if kind == "BOOL" else tuple(_text(value) for value in one["allowed"])
    default = one["default"]
    if is_list and default is not None:
        default = ", ".join(_text(value) for value in default)
    told = [one["description"], f"One of: {', '.join(choices)}." if is_list and choices else ""]
    return Field(
        name=one["name"],
        type=kind,
        told=" ".join(text for text in told if text),
        is_required=one["required"],
        is_secret=one["secret"],
        is_list=is_list,
        input="password" if one["secret"] else INPUTS.get(kind, "text"),
        choices=() if is_list else choices,
        placeholder=EXAMPLES.get(kind, "") if default is None else _text(default),
        given="" if one["secret"] else given,
    )


def _value(kind: str, text: str) -> Any:
    if kind.startswith("ARRAY<"):
        inner = kind.removeprefix("ARRAY<").removesuffix(">")
        return [_value(inner, line.strip()) for line in text.split("\n") if line.strip()]
    if kind == "BOOL":
        return TRUE_AND_FALSE.get(text.strip().lower(), text)
    pattern = NUMBERS.get(kind)
    if pattern and pattern.fullmatch(text.strip()):
        return int(text) if kind == "INT64" else float(text)
    return text


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
