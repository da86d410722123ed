"""Values of BigQuery's types, read from JSON into the form in which they are bound."""

import binascii
import math
import re
from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Context, Decimal

from common.pipelines.pipeline import ParameterValue
from common.pipelines.yaml_documents import Value

MAX_ELEMENTS = 10_000
MAX_STRING = 65_536

_ARRAY = re.compile(r"ARRAY<([A-Z0-9]+)>")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_CLOCK = r"\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?"
_TIME = re.compile(_CLOCK)
_DATETIME = re.compile(rf"\d{{4}}-\d{{2}}-\d{{2}}[Tt ]{_CLOCK}")
_TIMESTAMP = re.compile(rf"{_DATETIME.pattern}([Zz]|[+-]\d{{2}}:\d{{2}})")
_DECIMAL = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?")
_WHOLE_DIGITS, _SCALE, _MAX_DECIMAL = 29, 9, 100
_EXACT = Context(prec=_MAX_DECIMAL)

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


def _datetime(value: Value) -> str:
    """Read a day and a time of no zone, and write it as ISO 8601 does."""
    try:
        if isinstance(value, str) and _DATETIME.fullmatch(value):
            return datetime.fromisoformat(value.upper()).isoformat()
    except ValueError:
        pass  # The 30th of February, or hour 25.
    raise ValueViolation("must be a day and a time without a zone, such as 2026-01-31T09:30:00 (DATETIME)")


def _time(value: Value) -> str:
    try:
        if isinstance(value, str) and _TIME.fullmatch(value):
            return time.fromisoformat(value).isoformat()
    except ValueError:
        pass  # Hour 25.
    raise ValueViolation("must be a time of day, such as '09:30:00' (TIME)")


def _numeric(value: Value) -> str:
    """Read a decimal number, exactly where it is a string, and write it without an exponent."""
    text = value if isinstance(value, str) else repr(value)
    if isinstance(value, bool) or len(text) > _MAX_DECIMAL or not _DECIMAL.fullmatch(text):
        raise ValueViolation("must be a decimal number, such as 10.25 or '10.25' (NUMERIC)")
    number = _EXACT.create_decimal(text).normalize(_EXACT)
    exponent = number.as_tuple().exponent
    if number.copy_abs() >= 10**_WHOLE_DIGITS or not isinstance(exponent, int) or -exponent > _SCALE:
        raise ValueViolation(
            f"must have at most {_WHOLE_DIGITS} digits before the point and {_SCALE} behind it (NUMERIC)"
        )
    return f"{number or Decimal(0):f}"


def _bytes(value: Value) -> str:
    """Read bytes in base64, which is how BigQuery takes and gives them in JSON."""
    try:
        if isinstance(value, str) and len(value) <= MAX_STRING:
            b64decode(value, validate=True)
            return value
    except (binascii.Error, ValueError):
        pass  # Of another alphabet, or without its padding.
    raise ValueViolation(f"must be base64 of at most {MAX_STRING:,} characters, such as 'AP8=' (BYTES)")


_READERS: dict[str, Callable[[Value], Scalar]] = {
    "STRING": _string,
    "INT64": _int64,
    "FLOAT64": _float64,
    "NUMERIC": _numeric,
    "BOOL": _bool,
    "DATE": _date,
    "DATETIME": _datetime,
    "TIME": _time,
    "TIMESTAMP": _timestamp,
    "BYTES": _bytes,
}
TYPES = (*_READERS, *(f"ARRAY<{name}>" for name in _READERS))
