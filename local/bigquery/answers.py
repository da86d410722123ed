"""Answers of the REST API: what a layer passes on, changes or makes up."""

import json
from dataclasses import dataclass, replace
from typing import Any

JSON_HEADERS = ((b"content-type", b"application/json; charset=UTF-8"),)
MORE_ABOUT_QUOTAS = "For more information, see https://cloud.google.com/bigquery/docs/troubleshoot-quotas"
ERRORS = {
    "accessDenied": (403, "PERMISSION_DENIED"),
    "backendError": (503, "UNAVAILABLE"),
    "bytesBilledLimitExceeded": (400, "INVALID_ARGUMENT"),
    "duplicate": (409, "ALREADY_EXISTS"),
    "internalError": (500, "INTERNAL"),
    "invalid": (400, "INVALID_ARGUMENT"),
    "invalidQuery": (400, "INVALID_ARGUMENT"),
    "jobRateLimitExceeded": (429, "RESOURCE_EXHAUSTED"),
    "notFound": (404, "NOT_FOUND"),
    "notImplemented": (501, "UNIMPLEMENTED"),
    "quotaExceeded": (403, "PERMISSION_DENIED"),
    "rateLimitExceeded": (403, "PERMISSION_DENIED"),
    "resourcesExceeded": (400, "INVALID_ARGUMENT"),
    "stopped": (499, "CANCELLED"),
}
"""BigQuery's reasons that layers give, each with its HTTP status and its canonical name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One HTTP answer, whole."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    @property
    def is_success(self) -> bool:
        """Tell whether the call had its effect."""
        return self.status < 300

    @property
    def resource(self) -> dict[str, Any]:
        """Return the JSON object in the body; empty where there is none."""
        if not self.body.startswith(b"{"):
            return {}
        resource: dict[str, Any] = json.loads(self.body)
        return resource

    def with_resource(self, resource: dict[str, Any]) -> "Answer":
        """Return the same answer around another JSON object."""
        body = json.dumps(resource).encode()
        kept = tuple(pair for pair in self.headers if pair[0].lower() != b"content-length")
        return replace(self, body=body, headers=(*kept, (b"content-length", str(len(body)).encode())))


def json_answer(status: int, resource: dict[str, Any]) -> Answer:
    """Make an answer that holds `resource`."""
    return Answer(status=status, headers=JSON_HEADERS, body=b"").with_resource(resource)


def error_answer(reason: str, message: str, status: int | None = None) -> Answer:
    """Make BigQuery's error answer for `reason`; `status` overrides the reason's usual HTTP status."""
    usual_status, name = ERRORS[reason]
    code = usual_status if status is None else status
    if code == 429:
        name = "RESOURCE_EXHAUSTED"
    fault = {"message": message, "domain": "global", "reason": reason}
    return json_answer(code, {"error": {"code": code, "message": message, "errors": [fault], "status": name}})
