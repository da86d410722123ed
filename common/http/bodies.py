"""Bodies, read strictly: bounded, UTF-8, and JSON that means one thing only."""

import json
from collections.abc import Mapping
from math import isfinite
from typing import Any

from werkzeug.http import parse_options_header
from werkzeug.wrappers import Request

from common.errors import InputTooLarge, InvalidInput, MalformedInput, UnsupportedContentType
from common.http.calls import Content
from common.http.schemas import faults_of

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
        value = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_refuse_constant, parse_float=_parse_float
        )
    except json.JSONDecodeError as error:
        raise MalformedInput(
            f"must be JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        ) from error
    except ValueError as error:
        raise MalformedInput("must be JSON whose numbers have a sensible length") from error
    except RecursionError as error:
        raise _too_deep() from error
    _check_values(value)
    return value


def _check_content_type(header: str) -> None:
    media_type, options = parse_options_header(header)
    if media_type.lower() != "application/json" or options.get("charset", "").lower() not in _CHARSETS:
        given = f"not {header[:100]!r}" if header else "and the request names none"
        raise UnsupportedContentType(f"the body must be application/json in UTF-8, {given}")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for key, value in pairs:
        if key in members:
            raise MalformedInput(f"must name each member once, not {key[:100]!r} twice")
        members[key] = value
    return members


def _refuse_constant(name: str) -> None:
    raise MalformedInput(f"must be JSON, which has no {name}")


def _parse_float(text: str) -> float | int:
    number = float(text)
    if not isfinite(number):
        raise MalformedInput("must hold numbers that a 64-bit float can hold")
    # JSON knows one kind of number: 1.0 is the integer 1.
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _check_values(value: Any) -> None:
    """Walk without recursion: the nesting is the caller's."""
    rest = [(value, 1)]
    while rest:
        item, level = rest.pop()
        if isinstance(item, dict | list):
            if level > MOST_LEVELS:
                raise _too_deep()
            rest.extend((child, level + 1) for child in (item.values() if isinstance(item, dict) else item))
        texts = item if isinstance(item, dict) else [item] if isinstance(item, str) else []
        if not all(map(_is_encodable, texts)):
            raise MalformedInput("must hold whole Unicode characters, no lone surrogates")


def _is_encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _too_large(max_bytes: int) -> InputTooLarge:
    return InputTooLarge(f"the body is longer than {max_bytes} bytes")


def _too_deep() -> InputTooLarge:
    return InputTooLarge(f"the body is nested deeper than {MOST_LEVELS} levels")
