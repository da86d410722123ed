"""What is read off a request, strictly: its ID, source, headers and path, its parameters, its body."""

import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from werkzeug.exceptions import BadRequest, ClientDisconnected, RequestHeaderFieldsTooLarge
from werkzeug.http import parse_options_header
from werkzeug.wrappers import Request

from common.addresses import canonical_address
from common.errors import InputTooLarge, InvalidInput, NotFound, UnsupportedContentType, Violation
from common.http.routing import Content, Parameter, Place, Route
from common.http.schemas import MAX_VIOLATIONS, did_you_mean, pointer, violations_of
from common.json_bodies import parse_json
from common.logs import is_secret

MAX_HEADERS = 100
MAX_HEADER_BYTES = 8 * 1024
MAX_HEADERS_BYTES = 32 * 1024
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,128}")
# Unreserved characters (RFC 3986, 2.3), slashes and per cent: encoded they name the same, or hide it.
_NEEDLESS_ENCODING = re.compile(
    r"%(?:2[def5]|3[0-9]|4[1-9a-f]|5[0-9acf]|6[1-9a-f]|7[0-9ae])|\\|%(?![0-9a-f]{2})", re.IGNORECASE
)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def request_id_of(request: Request) -> str:
    """Return the caller's request ID where it is well-formed, else a new one."""
    given = request.headers.get("X-Request-Id", "")
    return given if _REQUEST_ID.fullmatch(given) else str(uuid.uuid4())


def source_of(request: Request, trusted_proxies: int) -> str:
    """Return the caller's IP address, as the outermost of our proxies has seen it.

    Each proxy appends to X-Forwarded-For: what stands before the last `trusted_proxies` values is the
    caller's own words. Where that place is empty or holds no address, it is who is connected to us.
    """
    seen = ",".join(request.headers.getlist("X-Forwarded-For")).split(",")
    told = seen[-trusted_proxies] if 0 < trusted_proxies <= len(seen) else ""
    connected = request.remote_addr or ""
    return canonical_address(told) or canonical_address(connected) or connected


def check_target(request: Request) -> None:
    """Refuse a path or a query that is no text: servers put other characters in its place.

    So it is read as it was sent, where the server tells (gunicorn and werkzeug do).
    """
    environ = request.environ
    sent = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
    quoted = [_bytes_of(part) for part in (sent, environ.get("QUERY_STRING", ""))]
    if not all(map(_is_text, [_bytes_of(environ.get("PATH_INFO", "")), *map(unquote_to_bytes, quoted)])):
        raise BadRequest("the path or the query holds what is no UTF-8, or a NUL")


def check_path(request: Request) -> None:
    """Raise NotFound for a path that is written in another way than its own.

    Limits in front of us go by the path as it is sent, routes by what it means: `/tenants/%6fnboard` would be
    an onboarding that no limit knows. Nothing that a path here can hold needs such a spelling.
    """
    path = _sent_path(request)
    if _NEEDLESS_ENCODING.search(path):
        raise NotFound("there is nothing at this path: it encodes characters that stand for themselves")
    if any(segment in {"", ".", ".."} for segment in path.removesuffix("/").split("/")[1:]):
        raise NotFound("there is nothing at this path: a segment of it is empty, or dots alone")


def _sent_path(request: Request) -> str:
    """Return the path before it was decoded; a server that does not tell has only the decoded one."""
    sent: str = request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or quote(request.path)
    if not sent.startswith("/"):  # The absolute form, which proxies are sent.
        sent = "/" + sent.partition("://")[2].partition("/")[2]
    return sent.partition("?")[0].partition("#")[0]


def check_headers(request: Request) -> None:
    """Refuse headers that are too many, too long or hold control characters."""
    headers = list(request.headers)
    lengths = [len(name) + len(value) for name, value in headers]
    if (
        len(headers) > MAX_HEADERS
        or max(lengths, default=0) > MAX_HEADER_BYTES
        or sum(lengths) > MAX_HEADERS_BYTES
    ):
        raise RequestHeaderFieldsTooLarge()
    if any(_CONTROL.search(value) for _, value in headers):
        raise BadRequest("a header holds control characters")
    if not all(_is_text(_bytes_of(value)) for _, value in headers):
        raise BadRequest("a header holds what is no UTF-8")


def _bytes_of(value: str) -> bytes:
    # WSGI gives bytes as if they were Latin-1.
    return value.encode("latin-1", errors="replace")


def _is_text(data: bytes) -> bool:
    try:
        return "\0" not in data.decode("utf-8")
    except UnicodeDecodeError:
        return False


_INTEGER = re.compile(r"-?[0-9]{1,18}")
_BOOLEANS = {"true": True, "false": False}


@dataclass(slots=True)
class Values:
    """The values of a request's parameters, by place, and what is wrong with them."""

    path: dict[str, Any] = field(default_factory=dict)
    query: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    violations: list[Violation] = field(default_factory=list)

    def read(self, parameter: Parameter, texts: list[str]) -> None:
        """Read one parameter from the texts that the request gives for it."""
        place = pointer(parameter.place, parameter.name)
        if len(texts) > 1:
            self.violations.append(Violation(place, "must be given once"))
        elif texts and is_secret(texts[0]):
            # It must not go on: a parameter's value may become part of a query, a label or a job ID.
            self.violations.append(
                Violation(place, "is a secret of the platform, which belongs in its header alone")
            )
        elif texts:
            value = _typed(parameter, texts[0])
            self.violations.extend(
                Violation(place, violation.rule) for violation in violations_of(parameter.schema, value)
            )
            self._of(parameter.place)[parameter.name] = value
        elif parameter.is_required:
            self.violations.append(Violation(place, "is required"))
        elif "default" in parameter.schema:
            self._of(parameter.place)[parameter.name] = parameter.schema["default"]

    def refuse_unknown(self, given: Iterable[str], known: list[str]) -> None:
        """Note query parameters that the route does not have."""
        unknown = [name for name in given if name not in known]
        self.violations.extend(
            Violation(pointer(Place.QUERY, name), f"is not known here{did_you_mean(name, known)}")
            for name in unknown[:MAX_VIOLATIONS]
        )

    def _of(self, place: Place) -> dict[str, Any]:
        return {Place.PATH: self.path, Place.QUERY: self.query, Place.HEADER: self.header}[place]


def read_parameters[S](request: Request, route: Route[S], path_values: Mapping[str, str]) -> Values:
    """Read what the route declares; InvalidInput with every violation (`/query/limit`, `/path/…`)."""
    values = Values()
    for parameter in route.parameters:
        values.read(parameter, _texts(request, parameter, path_values))
    values.refuse_unknown(request.args, [parameter.name for parameter in route.parameters_in(Place.QUERY)])
    if values.violations:
        raise InvalidInput(values.violations, "the request's parameters break rules")
    return values


def _texts(request: Request, parameter: Parameter, path_values: Mapping[str, str]) -> list[str]:
    match parameter.place:
        case Place.PATH:
            return [path_values[parameter.name]]
        case Place.QUERY:
            return request.args.getlist(parameter.name)
        case Place.HEADER:
            return request.headers.getlist(parameter.name)


def _typed(parameter: Parameter, text: str) -> Any:
    """Turn a text into its schema's type; a text that is none stays one and fails the schema."""
    match parameter.schema.get("type"):
        case "integer" if _INTEGER.fullmatch(text):
            return int(text)
        case "boolean":
            return _BOOLEANS.get(text, text)
        case _:
            return text


_CHARSETS = frozenset({"", "utf-8", "utf8", "us-ascii"})


def read_content(request: Request, max_bytes: int) -> Content:
    """Read a body as it is; InputTooLarge over `max_bytes`."""
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in {"", "identity"}:
        raise UnsupportedContentType(f"a body must come without Content-Encoding, not as {encoding[:40]!r}")
    if (request.content_length or 0) > max_bytes:
        raise _too_large(max_bytes)
    try:
        # A chunked body names no length: one byte more than allowed tells that it is too long.
        data = _read_up_to(request, max_bytes + 1)
    except (OSError, ClientDisconnected):
        raise BadRequest("the body ends before it should, or its chunks are none") from None
    if len(data) > max_bytes:
        raise _too_large(max_bytes)
    return Content(data=data, content_type=request.headers.get("Content-Type", ""))


def _read_up_to(request: Request, count: int) -> bytes:
    """Read to the end: what one read gives of a body that breaks off would pass for all of it."""
    data = b""
    while len(data) < count and (piece := request.stream.read(count - len(data))):
        data += piece
    return data


def read_json(content: Content, schema: str) -> Mapping[str, Any]:
    """Read a JSON object that keeps its schema; an empty body is {}. InvalidInput with violations else."""
    if content.data.strip():
        _check_content_type(content.content_type)
    value = parse_json(content.text) if content.data.strip() else {}
    if violations := violations_of(schema, value):
        raise InvalidInput(violations, "the request body breaks rules")
    object_: Mapping[str, Any] = value
    return object_


def _check_content_type(header: str) -> None:
    media_type, options = parse_options_header(header)
    if media_type.lower() != "application/json" or options.get("charset", "").lower() not in _CHARSETS:
        given = f"not {header[:100]!r}" if header else "and the request names none"
        raise UnsupportedContentType(f"the body must be application/json in UTF-8, {given}")


def _too_large(max_bytes: int) -> InputTooLarge:
    return InputTooLarge(f"the body is longer than {max_bytes} bytes")
