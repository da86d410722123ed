"""What is read off a request before its route is known: its ID, its source, and that its headers are fit."""

import re
import uuid
from urllib.parse import quote, unquote_to_bytes

from werkzeug.exceptions import BadRequest, RequestHeaderFieldsTooLarge
from werkzeug.wrappers import Request

from common.addresses import canonical_address
from common.errors import NotFound

MOST_HEADERS = 100
MOST_HEADER_BYTES = 8 * 1024
MOST_HEADERS_BYTES = 32 * 1024
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
        len(headers) > MOST_HEADERS
        or max(lengths, default=0) > MOST_HEADER_BYTES
        or sum(lengths) > MOST_HEADERS_BYTES
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
