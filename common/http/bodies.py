"""Bodies, read strictly: bounded, UTF-8, and JSON that means one thing only."""

from collections.abc import Mapping
from typing import Any

from werkzeug.http import parse_options_header
from werkzeug.wrappers import Request

from common import strict_json
from common.errors import (
    ConvergenceError,
    InputTooLarge,
    InvalidInput,
    MalformedInput,
    UnsupportedContentType,
)
from common.http.calls import Content
from common.http.schemas import faults_of
from common.strict_json import JsonFault

MOST_LEVELS = 32
_CHARSETS = frozenset({"", "utf-8", "utf8", "us-ascii"})


def read_content(request: Request, max_bytes: int) -> Content:
    """Read a body as it is; InputTooLarge over `max_bytes`."""
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in {"", "identity"}:
        raise UnsupportedContentType(f"a body must come without Content-Encoding, not as {encoding[:40]!r}")
    if (request.content_length or 0) > max_bytes:
        raise _too_large(max_bytes)
    # A chunked body names no length: one byte more than allowed tells that it is too long.
    data = request.stream.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise _too_large(max_bytes)
    return Content(data=data, content_type=request.headers.get("Content-Type", ""))


def read_json(content: Content, schema: str) -> Mapping[str, Any]:
    """Read a JSON object that keeps its schema; an empty body is {}. InvalidInput with all faults else."""
    if content.data.strip():
        _check_content_type(content.content_type)
    value = parse_json(content.text) if content.data.strip() else {}
    if faults := faults_of(schema, value):
        raise InvalidInput(faults, "the request body breaks rules")
    object_: Mapping[str, Any] = value
    return object_


def parse_json(text: str) -> Any:
    """Parse JSON; refuse duplicate keys, numbers that are not finite, lone surrogates and deep nesting."""
    try:
        value = strict_json.parse(text, _as_number)
        strict_json.check_values(value, MOST_LEVELS, scalars_count=False)
    except JsonFault as fault:
        raise _told(fault) from fault
    return value


def _told(fault: JsonFault) -> ConvergenceError:
    match fault:
        case strict_json.NoJson():
            return MalformedInput(f"must be JSON: {fault}")
        case strict_json.NamedTwice():
            return MalformedInput(f"must name each member once, not {fault.key[:100]!r} twice")
        case strict_json.NotFinite(is_word=True):
            return MalformedInput(f"must be JSON, which has no {fault}")
        case strict_json.NotFinite():
            return MalformedInput("must hold numbers that a 64-bit float can hold")
        case strict_json.TooManyDigits():
            return MalformedInput("must be JSON whose numbers have a sensible length")
        case strict_json.HalfCharacter():
            return MalformedInput("must hold whole Unicode characters, no lone surrogates")
        case _:
            return InputTooLarge(f"the body is nested deeper than {MOST_LEVELS} levels")


def _as_number(number: float) -> float:
    # JSON knows one kind of number: 1.0 is the integer 1.
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _check_content_type(header: str) -> None:
    media_type, options = parse_options_header(header)
    if media_type.lower() != "application/json" or options.get("charset", "").lower() not in _CHARSETS:
        given = f"not {header[:100]!r}" if header else "and the request names none"
        raise UnsupportedContentType(f"the body must be application/json in UTF-8, {given}")


def _too_large(max_bytes: int) -> InputTooLarge:
    return InputTooLarge(f"the body is longer than {max_bytes} bytes")
