"""Values of BigQuery's types, read from JSON into the form in which they are bound."""

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime

from common.pipelines.pipeline import ParameterValue
from common.pipelines.yaml_documents import Value

MAX_ELEMENTS = 10_000
MAX_STRING = 65_536

_ARRAY = re.compile(r"ARRAY<([A-Z0-9]+)>")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_TIMESTAMP = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?([Zz]|[+-]\d{2}:\d{2})")

type Scalar = str | int | float | bool


class ValueViolation(Exception):
    """A value is none of its type; the text is the rule."""


def element_type(type_name: str) -> str | None:
    """Return what an `ARRAY<…>` is an array of; None for a scalar type."""
    array = _ARRAY.fullmatch(type_name)
    return array[1] if array else None


def read_value(type_name: str, value: Value) -> ParameterValue:
    """Read a value of a type in `TYPES`; ValueViolation where it is none. A missing array is an empty one."""
    element = element_type(type_name)
    if element is None:
        return None if value is None else _READERS[type_name](value)
    if value is None:
        return []
    if not isinstance(value, list):
        raise ValueViolation(f"must be a list of {element}")
    if len(value) > MAX_ELEMENTS:
        raise ValueViolation(f"must have at most {MAX_ELEMENTS:,} elements, it has {len(value):,}")
    return [_element(element, index, item) for index, item in enumerate(value)]  # type: ignore[return-value]


def _element(type_name: str, index: int, item: Value) -> Scalar:
    try:
        return _READERS[type_name](item)
    except ValueViolation as violation:
        raise ValueViolation(f"element {index} {violation}") from None


def _string(value: Value) -> str:
    if not isinstance(value, str):
        raise ValueViolation("must be a string (STRING): put it in quotes")
    if len(value) > MAX_STRING:
        raise ValueViolation(f"must have at most {MAX_STRING:,} characters, it has {len(value):,}")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueViolation("holds half of a surrogate pair, which is no character")
    return value


def _int64(value: Value) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueViolation("must be a whole number (INT64)")
    if not -(2**63) <= value < 2**63:
        raise ValueViolation("must be a whole number from -2^63 to 2^63-1 (INT64)")
    return value


def _float64(value: Value) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueViolation("must be a number (FLOAT64)")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueViolation("must be a finite number (FLOAT64)")
    return number


def _bool(value: Value) -> bool:
    if not isinstance(value, bool):
        raise ValueViolation("must be true or false (BOOL)")
    return value


def _date(value: Value) -> str:
    try:
        if isinstance(value, str) and _DATE.fullmatch(value):
            return date.fromisoformat(value).isoformat()
    except ValueError:
        pass  # The 30th of February, for one.
    raise ValueViolation("must be a date, YYYY-MM-DD (DATE)")


def _timestamp(value: Value) -> str:
    """Read a moment and write it in UTC, RFC 3339."""
    try:
        if isinstance(value, str) and _TIMESTAMP.fullmatch(value):
            moment = datetime.fromisoformat(value.upper()).astimezone(UTC)
            return moment.isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError):
        pass  # Hour 25, or a zone that leads out of the years 1 to 9999.
    raise ValueViolation("must be a time with its zone, such as 2026-01-31T09:30:00Z (TIMESTAMP)")


_READERS: dict[str, Callable[[Value], Scalar]] = {
    "STRING": _string,
    "INT64": _int64,
    "FLOAT64": _float64,
    "BOOL": _bool,
    "DATE": _date,
    "TIMESTAMP": _timestamp,
}
TYPES = (*_READERS, *(f"ARRAY<{name}>" for name in _READERS))
