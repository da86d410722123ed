"""The API as a caller sees it: an answer, or one line that says why there is none."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import requests

from local.demo.calls import ApiCall
from local.demo.errors import DemoError

TIMEOUT_SECONDS = 60.0

type Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer that is no problem."""

    status: int
    body: Body


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """Sends calls to one platform."""

    url: str
    session: requests.Session = field(default_factory=requests.Session)

    def send(self, call: ApiCall) -> Reply:
        """Send a call; DemoError where the answer is a problem, or where there is none."""
        try:
            answer = self.session.request(
                call.method,
                f"{self.url}{call.path}",
                headers=call.headers,
                data=call.content.data if call.content else None,
                timeout=TIMEOUT_SECONDS,
            )
            body: Any = answer.json()
        except requests.JSONDecodeError as error:
            raise DemoError(
                f"{call.method} {call.path}: {answer.status_code}, and the body is no JSON"
            ) from error
        except requests.RequestException as error:
            raise DemoError(
                f"{call.method} {call.path}: the platform does not answer: {type(error).__name__}"
            ) from error
        if not answer.ok:
            raise DemoError(f"{call.method} {call.path}: {answer.status_code} {problem_line(body)}")
        return Reply(status=answer.status_code, body=body)


def problem_line(body: Any) -> str:
    """Put a problem document (RFC 9457) in one line: title, detail, and each fault with its place."""
    if not isinstance(body, dict):
        return str(body)
    faults = [f"{fault.get('pointer') or '/'}: {fault.get('rule')}" for fault in body.get("errors", [])]
    head = ": ".join(str(body[name]) for name in ("title", "detail") if body.get(name))
    line = f"{head}: {'; '.join(faults)}" if faults else head
    return " ".join(line.split())
