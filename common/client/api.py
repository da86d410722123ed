"""The API as a caller sees it: an answer, or an exception that says why there is none."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from common.client.calls import Call, Content, Key
from common.client.locations import checked_url, located
from common.client.problems import ApiError, Problem, Unreachable, UnreadableAnswer
from common.client.retries import Retries

if TYPE_CHECKING:  # Half of a command's start, and files are checked without any call.
    import requests

MAX_SHOWN_CHARACTERS = 200


def _session() -> "requests.Session":
    from requests import Session  # noqa: PLC0415

    return Session()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer that is no problem; `body` is None where it has none, a text where it is CSV."""

    status: int
    body: Any
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """Sends calls to one platform, by one key; a session is one thread's at a time."""

    url: str
    key: Key | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    """What every call carries, such as a traceparent."""
    retries: Retries = field(default_factory=Retries)
    timeout_seconds: float = 60.0
    session: "requests.Session" = field(default_factory=_session, repr=False)
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "url", checked_url(self.url))

    def send(self, call: Call) -> Answer:
        """Send a call, again where that does no harm and may help; ApiError where no answer comes of it."""
        attempt = 1
        while True:
            try:
                return self._send_once(call)
            except ApiError as error:
                pause = self.retries.pause_after(error, call, attempt)
                if pause is None:
                    raise
            self.sleep(pause)
            attempt += 1

    def get(self, path: str, **query: Any) -> Any:
        """Read what is at a path; a query's value that is None is left out."""
        return self.send(Call(method="GET", path=path, query=query)).body

    def post(
        self, path: str, body: Mapping[str, Any] | None = None, *, is_repeatable: bool | None = None
    ) -> Any:
        """Post a JSON object, or nothing."""
        content = None if body is None else Content.json(body)
        return self.send(Call(method="POST", path=path, content=content, is_repeatable=is_repeatable)).body

    def _send_once(self, call: Call) -> Answer:
        from requests import RequestException  # noqa: PLC0415

        where = f"{call.method} {call.path}"
        try:
            response = self.session.request(
                call.method,
                located(self.url, call.target),
                headers={**self.headers, **call.sent_headers(self.key)},
                data=call.content.data if call.content else None,
                timeout=self.timeout_seconds,
                # A redirection would carry the key with it, wherever it leads.
                allow_redirects=False,
            )
        except RequestException as error:
            raise Unreachable(f"{where}: the platform does not answer: {type(error).__name__}") from error
        return _read(where, response)


def _read(where: str, response: "requests.Response") -> Answer:
    if response.is_redirect:
        raise UnreadableAnswer(f"{where}: {response.status_code}, a redirection", response.status_code)
    if response.ok and response.headers.get("Content-Type", "").startswith("text/csv"):
        return Answer(status=response.status_code, body=response.text, headers=response.headers)
    try:
        body: Any = response.json() if response.content else None
    except ValueError as error:
        if response.ok:
            told = f"{where}: {response.status_code}, and the body is no JSON"
            raise UnreadableAnswer(told, response.status_code) from error
        body = {"detail": response.text[:MAX_SHOWN_CHARACTERS]}
    if not response.ok:
        members = body if isinstance(body, dict) else {"detail": "" if body is None else str(body)}
        raise Problem(where, response.status_code, members, response.headers.get("Retry-After", ""))
    return Answer(status=response.status_code, body=body, headers=response.headers)
