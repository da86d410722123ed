"""Requests for runs, as they arrive: as JSON objects; `config_id` is all that they must have.

The API key comes as an attribute of the message. What HTTP would answer is told on run-events: the states of
the run; for a repeat, the state that its run is in, once more; for a refusal, the problem.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from common.errors import (
    ConvergenceError,
    Forbidden,
    InputTooLarge,
    InvalidInput,
    MalformedInput,
    Violation,
)
from common.json_bodies import MAX_JSON_BYTES, decode_text, parse_json
from common.json_pointers import escaped
from common.logs import MASK, current_traceparent, log_context, redact
from common.messages.receiving import API_KEY, MAX_ATTRIBUTE_BYTES, MAX_NAME_BYTES, Message
from common.messages.verdicts import Verdict, verdict
from common.pipelines.intervals import read_interval
from common.pipelines.parameters import told_as_given
from common.pipelines.selection import read_selection
from common.problems import problem_of
from common.runs.dead_letters import SOURCE_PREFIX
from common.runs.events import Announcer, RejectedRequest, RunEvent
from common.runs.run import Trigger, TriggerType
from common.runs.starting import RunRequest, RunService, StartedRun
from common.tenants.authentication import Authenticator, KnownKey
from common.tenants.keys import Scope
from common.times import Clock

FIELDS: dict[str, type] = {
    "config_id": str,
    "parameters": dict,
    "idempotency_key": str,
    "tenant_id": str,
    "queue": bool,
    "interval": dict,
    "steps": list,
    "upstream": bool,
    "downstream": bool,
}
_NEVER_SECRET = (
    "config_id",
    "idempotency_key",
    "tenant_id",
    "queue",
    "interval",
    "steps",
    "upstream",
    "downstream",
)
_NOUNS = {dict: "an object", list: "a list", str: "a string", bool: "true or false"}
_CONFIG_ID = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_IDEMPOTENCY_KEY = re.compile(r"[!-~]{1,255}")
_SHAPES = {
    "config_id": (
        _CONFIG_ID,
        "must be the ID of a pipeline: lower-case letters, digits, _ and -, a letter first, at most 63",
    ),
    "idempotency_key": (_IDEMPOTENCY_KEY, "must be 1 to 255 printable ASCII characters without blanks"),
}
USER_ID = "user_id"
"""The attribute that names the user for whom the run is asked for."""
_USER_ID = re.compile(r"[!-~]{0,255}")
MAX_ATTRIBUTES = 50
MAX_UNKNOWN = 20
"""Unknown members that a refusal tells of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequestReceiver:
    """Starts the run that a message asks for, with the same admission as over HTTP."""

    authenticator: Authenticator
    run_service: RunService
    announcer: Announcer
    clock: Clock
    new_trace: Callable[[], str] = current_traceparent

    def __call__(self, message: Message) -> None:
        """Do the message's work; raises as `RunService.start` does, and for a key that is not valid.

        A second delivery meets the first by its idempotency key, or else by the message's ID. A key that is
        nobody's is answered by nothing: there is no tenant to tell.
        """
        key = self.authenticator.identify(message.attributes.get(API_KEY))
        with log_context(tenant=key.record.tenant_id):
            try:
                started = self._start(message, key)
            except ConvergenceError as error:
                if verdict(error) is Verdict.REJECT:
                    self.announcer.answer(self._rejected(message, key, error))
                raise
            if started.is_repeat:
                self.announcer.announce([self._told_again(started)])

    def _start(self, message: Message, key: KnownKey) -> StartedRun:
        caller = key.caller()
        caller.require(Scope.RUN)
        _check_attributes(message.attributes)
        body = _read(message.data)
        if body.get("tenant_id", caller.tenant_id) != caller.tenant_id:
            raise Forbidden("the API key is not this tenant's")
        parameters = body.get("parameters", {})
        request = RunRequest(
            tenant_id=caller.tenant_id,
            config_id=body["config_id"],
            trigger=_trigger(key, message.attributes.get(USER_ID, "")),
            parameters=parameters,
            idempotency_key=body.get("idempotency_key") or f"message-{message.id}",
            traceparent=self.new_trace(),
            interval=read_interval(body),
            selection=read_selection(body),
            may_wait=body.get("queue", False),
        )
        with told_as_given(lambda name: name in parameters or name not in FIELDS):
            return self.run_service.start(request)

    def _rejected(self, message: Message, key: KnownKey, error: ConvergenceError) -> RejectedRequest:
        return RejectedRequest(
            tenant_id=key.record.tenant_id,
            request_id=message.id,
            config_id=_member(message.data, "config_id", _CONFIG_ID),
            idempotency_key=_member(message.data, "idempotency_key", _IDEMPOTENCY_KEY),
            trigger=_trigger(key),
            problem=problem_of(error),
            occurred_at=self.clock(),
            traceparent=self.new_trace(),
        )

    def _told_again(self, started: StartedRun) -> RunEvent:
        """Tell of a state once more; as of the run's beginning where another may have followed since."""
        run = replace(started.run, traceparent=self.new_trace())
        occurred_at = self.clock() if started.status.is_terminal else run.started_at
        return RunEvent(run=run, status=started.status, occurred_at=occurred_at)


def _trigger(key: KnownKey, user_id: str = "") -> Trigger:
    by, api_key_id = "run-requests", key.record.api_key_id
    return Trigger(type=TriggerType.PUBSUB, by=by, api_key_id=api_key_id, user_id=user_id)


def _member(data: bytes, name: str, shape: re.Pattern[str]) -> str:
    """Return what a request that may be no request says of itself, "" where it is not of its shape."""
    told = (_object_of(data) or {}).get(name)
    is_sound = isinstance(told, str) and redact(told) == told and shape.fullmatch(told)
    return str(told) if is_sound else ""


def without_values(data: bytes) -> bytes:
    """Write a rejected request without what may be a secret: which parameters are, nobody has looked up."""
    body = _object_of(data)
    if body is None:
        return MASK.encode()
    return json.dumps(
        {name: value if name in _NEVER_SECRET else _masked(value) for name, value in body.items()}
    ).encode()


def _object_of(data: bytes) -> dict[str, Any] | None:
    """Read what may be no request: None where it is no JSON object, or is longer than a request may be."""
    try:
        body = _parsed(data)
    except ConvergenceError:
        return None
    return body if isinstance(body, dict) else None


def _masked(value: Any) -> Any:
    return dict.fromkeys(value, MASK) if isinstance(value, dict) else MASK


def _parsed(data: bytes) -> Any:
    if len(data) > MAX_JSON_BYTES:
        raise InputTooLarge(f"the message is longer than {MAX_JSON_BYTES} bytes")
    return parse_json(decode_text(data))


def _read(data: bytes) -> dict[str, Any]:
    body = _parsed(data)
    if not isinstance(body, dict):
        raise MalformedInput("the message must be a JSON object")
    unknown = islice((name for name in body if name not in FIELDS), MAX_UNKNOWN)
    violations = [
        Violation(f"/{escaped(name)}", f"is unknown; known are {', '.join(FIELDS)}") for name in unknown
    ]
    violations += [
        Violation(f"/{name}", f"must be {_NOUNS[wanted]}")
        for name, wanted in FIELDS.items()
        if name in body and not isinstance(body[name], wanted)
    ]
    violations += [
        Violation(f"/{name}", rule)
        for name, (shape, rule) in _SHAPES.items()
        if isinstance(body.get(name), str) and not shape.fullmatch(body[name])
    ]
    if "config_id" not in body:
        violations.append(Violation("/config_id", "is required"))
    if violations:
        raise InvalidInput(violations, "the run request breaks rules")
    return body


def _check_attributes(attributes: Mapping[str, str]) -> None:
    """Refuse more than a request has use for, and names that are the service's own to give."""
    if len(attributes) > MAX_ATTRIBUTES:
        raise InputTooLarge(f"the message has {len(attributes)} attributes; it may have {MAX_ATTRIBUTES}")
    violations = [
        Violation(
            f"/attributes/{escaped(name[:40])}", "says that Pub/Sub has forwarded the message: leave it out"
        )
        for name in attributes
        if name.startswith(SOURCE_PREFIX)
    ]
    violations += [
        Violation(f"/attributes/{escaped(name[:40])}", f"must have at most {MAX_ATTRIBUTE_BYTES} bytes")
        for name, value in attributes.items()
        if len(name.encode()) > MAX_NAME_BYTES or len(value.encode()) > MAX_ATTRIBUTE_BYTES
    ]
    if not _USER_ID.fullmatch(attributes.get(USER_ID, "")):
        rule = "must be at most 255 printable ASCII characters without blanks"
        violations.append(Violation(f"/attributes/{USER_ID}", rule))
    if violations:
        raise InvalidInput(violations, "the message's attributes break rules")
