"""JSON Schema (2020-12): every rule that a value breaks, at once, each with its place.

Who validates says what the rules are called: a file of the caller's own may be quoted in an answer, a request
may hold a secret and is not.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from common.errors import Violation
from common.json_pointers import pointer

type Schema = Mapping[str, Any]

NOUNS: Mapping[str, str] = {
    "object": "an object",
    "array": "a list",
    "string": "a string",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}
"""What JSON's types are called in rules."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """How broken rules are told: any rule, a key that is unknown among those known, a key of a wrong form."""

    rule: Callable[[ValidationError], str]
    unknown_key: Callable[[str, Sequence[str]], str]
    wrong_key: Callable[[ValidationError], str]


def validator_for(
    schema: Schema, formats: FormatChecker, resources: Iterable[tuple[str, Schema]] = ()
) -> Validator:
    """Make a validator; `resources` are what the schema may refer to, by their names."""
    registry: Registry[Any] = Registry().with_resources(
        (name, DRAFT202012.create_resource(content)) for name, content in resources
    )
    validator: Validator = _StrictValidator(schema, registry=registry, format_checker=formats)
    return validator


def violations_of(
    validator: Validator,
    value: Any,
    wording: Wording,
    path: Sequence[str | int] = (),
    max_violations: int | None = None,
) -> list[Violation]:
    """List the rules that a value breaks, `max_violations` at the most; it stands at `path` itself."""
    errors = sorted(validator.iter_errors(value), key=lambda error: [*map(str, error.absolute_path)])
    # `required` is reported once per missing member, and each report names them all.
    told = (
        Violation(pointer((*path, *place)), rule) for error in errors for place, rule in _told(error, wording)
    )
    return list(islice(dict.fromkeys(told), max_violations))


def _told(error: ValidationError, wording: Wording) -> Iterator[tuple[tuple[str | int, ...], str]]:
    place = tuple(error.absolute_path)
    schema: Any = error.schema
    given: Any = error.instance
    match error.validator:
        case "required":
            yield from (((*place, key), "is required") for key in schema["required"] if key not in given)
        case "additionalProperties":
            known = list(schema.get("properties", ()))
            yield from (((*place, key), wording.unknown_key(key, known)) for key in given if key not in known)
        case "format" if "propertyNames" in error.absolute_schema_path:
            yield (*place, given), wording.wrong_key(error)
        case _:
            yield place, wording.rule(error)


def _pattern(_self: Validator, pattern: str, value: object, _schema: object) -> Iterator[ValidationError]:
    # JSON Schema's "$" is the end of the text; Python's also matches before a final line break.
    if isinstance(value, str) and not re.search(re.sub(r"\$$", r"\\Z", pattern), value):
        yield ValidationError("pattern")


_StrictValidator = extend(Draft202012Validator, {"pattern": _pattern})  # type: ignore[no-untyped-call]
