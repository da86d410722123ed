"""JSON that strangers send, over HTTP or by message: read strictly, violations in the words of the tree."""

from typing import Any

from common import strict_json
from common.errors import ConvergenceError, InputTooLarge, MalformedInput
from common.strict_json import JsonViolation

MAX_JSON_BYTES = 256 * 1024
MAX_LEVELS = 32


def decode_text(data: bytes) -> str:
    """Read bytes as text, without a mark of editors before it; MalformedInput where it is no UTF-8."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MalformedInput(f"must be UTF-8: byte {error.start} is not") from error


def parse_json(text: str) -> Any:
    """Parse JSON; refuse duplicate keys, numbers that are not finite, what is no text, and deep nesting."""
    try:
        value = strict_json.parse(text, _as_number)
        strict_json.check_values(value, MAX_LEVELS, scalars_count=False)
    except JsonViolation as violation:
        raise _told(violation) from violation
    return value


def _told(violation: JsonViolation) -> ConvergenceError:
    match violation:
        case strict_json.NoJson():
            return MalformedInput(f"must be JSON: {violation}")
        case strict_json.NamedTwice():
            return MalformedInput(f"must name each member once, not {violation.key[:100]!r} twice")
        case strict_json.NotFinite(is_word=True):
            return MalformedInput(f"must be JSON, which has no {violation}")
        case strict_json.NotFinite():
            return MalformedInput("must hold numbers that a 64-bit float can hold")
        case strict_json.TooManyDigits():
            return MalformedInput("must be JSON whose numbers have a sensible length")
        case strict_json.HalfCharacter():
            return MalformedInput("must hold whole Unicode characters, no lone surrogates")
        case strict_json.NulCharacter():
            return MalformedInput("must hold no NUL character (\\u0000)")
        case _:
            return InputTooLarge(f"the body is nested deeper than {MAX_LEVELS} levels")


def _as_number(number: float) -> float:
    # JSON knows one kind of number: 1.0 is the integer 1.
    return int(number) if number.is_integer() and abs(number) < 2**53 else number
