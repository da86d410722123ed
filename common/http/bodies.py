"""Bodies, read strictly: bounded, UTF-8, and JSON that means one thing only."""

from collections.abc import Mapping
from typing import Any

from werkzeug.http import parse_options_header
from werkzeug.wrappers import Request

from common.errors import InputTooLarge, InvalidInput, UnsupportedContentType
from common.http.calls import Content
from common.http.schemas import faults_of
from common.json_bodies import parse_json

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


def _check_content_type(header: str) -> None:
    media_type, options = parse_options_header(header)
    if media_type.lower() != "application/json" or options.get("charset", "").lower() not in _CHARSETS:
        given = f"not {header[:100]!r}" if header else "and the request names none"
        raise UnsupportedContentType(f"the body must be application/json in UTF-8, {given}")


def _too_large(max_bytes: int) -> InputTooLarge:
    return InputTooLarge(f"the body is longer than {max_bytes} bytes")
