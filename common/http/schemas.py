"""JSON Schemas (2020-12), one per file in `schemas/`, named like it; validation finds every violation."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import FormatChecker
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator

from common import json_pointers, json_schema
from common.errors import Violation
from common.json_pointers import MAX_KEY_CHARACTERS
from common.times import from_rfc3339

_ID = "must be lower-case letters, digits, _ and -, begin with a letter and have at most 63 characters"
_TENANT = "must be lower-case letters, digits and _, begin with a letter and have 3 to 50 characters"
_PRINTABLE = "must be visible ASCII characters without blanks, at most 255"
_GROUPS = "must be day, pipeline, step, or several with commas between"
_MOMENT_RULE = (
    "must be a day, 2026-01-31, or a time with its zone, 2026-01-31T09:30:00Z or 2026-01-31T09:30:00+02:00"
)
_LOCAL_MOMENT_RULE = (
    "must be a day, 2026-01-31, or a time, 2026-01-31T09:30, if need be with its zone, Z or +02:00"
)

_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = "[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?"
_ZONE = "([Zz]|[+-][0-9]{2}:[0-9]{2})"
MOMENT = f"^{_DAY}([Tt]{_TIME}{_ZONE})?$"
"""A day, or a time with its zone."""

RULES = {
    MOMENT: f"{_MOMENT_RULE}; in an address + is written %2B",
    f"^(19|20)[0-9]{{2}}-[0-9]{{2}}-[0-9]{{2}}([Tt ]{_TIME}{_ZONE}?)?$": _LOCAL_MOMENT_RULE,
    f"^{_DAY}([Tt ]{_TIME}{_ZONE}?)?$": _LOCAL_MOMENT_RULE,
    "^[a-z][a-z0-9_-]{0,62}$": _ID,
    "^[a-z][a-z0-9_]{2,49}$": _TENANT,
    "^((day|pipeline|step)(,(day|pipeline|step)){0,2})?$": _GROUPS,
    "^[a-z0-9_]{0,50}$": "must be lower-case letters, digits and _, at most 50",
    "^[A-Za-z0-9_-]{1,64}$": "must be letters, digits, _ and -, at most 64",
    "^[A-Za-z0-9-]{1,64}$": "must be letters, digits and -, at most 64",
    "^[A-Za-z0-9_-]{1,256}$": "must be the next_cursor of the page before, unchanged",
    "^[0-9a-f]{64}$": "must be 64 digits of a SHA-256: 0 to 9 and a to f",
    "^[!-~]{1,255}$": _PRINTABLE,
    "^[ -~]+$": "must be ASCII characters and blanks, on one line",
    "^[^\\u0000-\\u001f\\u007f]+$": "must be one line without control characters",
    "^3\\.1\\.": "must be a version 3.1",
    "^urn:problem-type:convergence:[a-z-]+$": "must be the URN of a kind of problem",
}
"""The rule of each pattern in schemas and parameters."""


def rule_of(pattern: str) -> str:
    """Say what a pattern asks for."""
    return RULES.get(pattern, "must have the form that its description says")


SCHEMA_FOLDER = Path(__file__).parent / "schemas"
MAX_VIOLATIONS = 100


@cache
def schemas() -> Mapping[str, Mapping[str, Any]]:
    """Load all schemas, by name."""
    files = sorted(SCHEMA_FOLDER.glob("*.json"))
    return {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in files}


def violations_of(schema: str | Mapping[str, Any], value: Any) -> list[Violation]:
    """Return the rules of a schema (its name, or itself) that a JSON value breaks, at most a hundred."""
    found = json_schema.violations_of(_validator(schema), value, _WORDING, max_violations=MAX_VIOLATIONS)
    named = (schemas()[schema] if isinstance(schema, str) else schema).get("properties", {})
    return [_with_meant(one, named) for one in found] if isinstance(value, dict) else found


def pointer(*keys: str | int) -> str:
    """Write a JSON pointer (RFC 6901); very long keys are cut."""
    return json_pointers.pointer(keys)


def did_you_mean(key: str, known: Iterable[str]) -> str:
    """Return ", did you mean …?" where a known key is close, in whatever case, else ""."""
    by_key = {name.lower(): name for name in known}
    close = get_close_matches(key.lower(), by_key, n=1) if len(key) <= MAX_KEY_CHARACTERS else []
    return f", did you mean {by_key[close[0]]!r}?" if close else ""


def _with_meant(found: Violation, named: Mapping[str, Any]) -> Violation:
    """Say what a member may have been meant for that is taken under any name, and has no such value."""
    keys = found.pointer.split("/")[1:]
    key = json_pointers.unescaped(keys[0]) if len(keys) == 1 else ""
    is_other = bool(key) and found.rule.startswith("must be ") and key not in named
    return replace(found, rule=found.rule + did_you_mean(key, named)) if is_other else found


def _validator(schema: str | Mapping[str, Any]) -> Validator:
    return _named_validator(schema) if isinstance(schema, str) else _make_validator(schema)


@cache
def _named_validator(name: str) -> Validator:
    return _make_validator(schemas()[name])


def _make_validator(schema: Mapping[str, Any]) -> Validator:
    # Schemas refer to each other by file name: {"$ref": "run_status.json"}.
    resources = ((f"{name}.json", other) for name, other in schemas().items())
    return json_schema.validator_for(schema, _FORMATS, resources)


# What jsonschema's own checker knows depends on which other packages happen to be installed.
_FORMATS = FormatChecker(formats=())
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9:.]+(?:[Zz]|[+-][0-9]{2}:[0-9]{2})")


@_FORMATS.checks("date", raises=ValueError)
def _is_date(value: object) -> bool:
    return not isinstance(value, str) or bool(_DATE.fullmatch(value) and date.fromisoformat(value))


@_FORMATS.checks("date-time", raises=(ValueError, OverflowError))
def _is_moment(value: object) -> bool:
    return not isinstance(value, str) or bool(_MOMENT.fullmatch(value) and from_rfc3339(value))


_FORMATTED = {
    "date": "a day, 2026-01-31",
    "date-time": "a time with its zone, 2026-01-31T09:30:00Z",
}
# A rule never repeats the value that broke it: it may be a secret.
_RULES = {
    "type": "must be {any_of}",
    "enum": "must be one of {listed}",
    "const": "must be {wanted}",
    "format": "must be {formatted}",
    "minLength": "must have at least {wanted} characters",
    "maxLength": "must have at most {wanted} characters",
    "minItems": "must have at least {wanted} items",
    "maxItems": "must have at most {wanted} items",
    "minProperties": "must have at least {wanted} members",
    "maxProperties": "must have at most {wanted} members",
    "minimum": "must be at least {wanted}",
    "maximum": "must be at most {wanted}",
    "exclusiveMinimum": "must be more than {wanted}",
    "uniqueItems": "must hold each item once",
    "propertyNames": "must have members of another name",
}


def _rule(error: ValidationError) -> str:
    wanted: Any = error.validator_value
    if error.validator == "pattern":
        return rule_of(wanted)
    words = [str(word) for word in wanted] if isinstance(wanted, list) else [str(wanted)]
    if error.validator == "type":
        words = [json_schema.NOUNS[word] for word in words]
    template = _RULES.get(str(error.validator), "must keep the rule {keyword!r} of its schema")
    return template.format(
        keyword=error.validator,
        wanted=wanted,
        formatted=_FORMATTED.get(str(wanted), f"a {wanted}"),
        listed=", ".join(words),
        any_of=" or ".join(words),
    ) + _meant(error)


def _meant(error: ValidationError) -> str:
    """Name the word that is meant by one in other letters; what has been given is not told."""
    given, wanted = error.instance, error.validator_value
    if error.validator != "enum" or not isinstance(given, str) or not isinstance(wanted, list):
        return ""
    words = [word for word in wanted if isinstance(word, str) and word.lower() == given.lower()]
    return f", did you mean {words[0]!r}?" if words else ""


_WORDING = json_schema.Wording(
    rule=_rule,
    unknown_key=lambda key, known: f"is not known here{did_you_mean(key, known)}",
    wrong_key=lambda _: _RULES["propertyNames"],
)
