"""Responses: JSON, and the headers that every one of them carries."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from werkzeug.wrappers import Request, Response

from common.times import to_rfc3339

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_HTTPS_ONLY = {"Strict-Transport-Security": "max-age=63072000; includeSubDomains"}


def json_response(
    body: Mapping[str, Any] | None,
    status: int,
    headers: Mapping[str, str],
    content_type: str = "application/json",
) -> Response:
    """Write a body as JSON; JSON is UTF-8 by definition and has no charset parameter (RFC 8259)."""
    if body is None:
        response = Response(status=status, headers=dict(headers))
        del response.headers["Content-Type"]
        return response
    text = json.dumps(body, ensure_ascii=False, allow_nan=False, default=_json_value)
    return Response(text + "\n", status=status, headers=dict(headers), content_type=content_type)


def add_standard_headers(response: Response, request: Request, request_id: str) -> None:
    """Add the request ID and the security headers."""
    response.headers["X-Request-Id"] = request_id
    response.headers.update(SECURITY_HEADERS)
    if request.is_secure or request.headers.get("X-Forwarded-Proto", "").lower() == "https":
        response.headers.update(_HTTPS_ONLY)


def _json_value(value: Any) -> str:
    if isinstance(value, datetime):
        return to_rfc3339(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")
