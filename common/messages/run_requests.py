"""Requests for runs, as they arrive: `{config_id, parameters?, idempotency_key?, tenant_id?, queue?}`.

The API key comes as an attribute of the message. What HTTP would answer is told on run-events: the states of
the run; for a repeat, the state that its run is in, once more; for a refusal, the problem.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from common.errors import ConvergenceError, Fault, Forbidden, InvalidInput, MalformedInput
from common.logs import MASK, current_traceparent, log_context, redact
from common.messages.receiving import API_KEY, Message
from common.messages.verdicts import Verdict, verdict
from common.problems import problem_of
from common.runs.events import Announcer, RejectedRequest, RunEvent
from common.runs.run import Trigger, TriggerType
from common.runs.starting import RunRequest, RunStarter, StartedRun
from common.tenants.authentication import Authenticator, KnownKey
from common.tenants.keys import Scope
from common.times import Clock

FIELDS: dict[str, type] = {
    "config_id": str,
    "parameters": dict,
    "idempotency_key": str,
    "tenant_id": str,
    "queue": bool,
}
_NEVER_SECRET = ("config_id", "idempotency_key", "tenant_id", "queue")
_NOUNS = {dict: "object", str: "string", bool: "boolean"}
_CONFIG_ID = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_IDEMPOTENCY_KEY = re.compile(r"[!-~]{1,255}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequestReceiver:
    """Starts the run that a message asks for, with the same admission as over HTTP."""

    authenticator: Authenticator
    starter: RunStarter
    announcer: Announcer
    clock: Clock
    new_trace: Callable[[], str] = current_traceparent

    def __call__(self, message: Message) -> None:
        """Do the message's work; raises as `RunStarter.start` does, and for a key that is not valid.

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
        body = _read(message.data)
        if body.get("tenant_id", caller.tenant_id) != caller.tenant_id:
            raise Forbidden("the API key is not this tenant's")
        return self.starter.start(
            RunRequest(
                tenant_id=caller.tenant_id,
                config_id=body["config_id"],
                trigger=_trigger(key),
                parameters=body.get("parameters", {}),
                idempotency_key=body.get("idempotency_key") or f"message-{message.id}",
                traceparent=self.new_trace(),
                may_wait=body.get("queue", False),
            )
        )

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


def _trigger(key: KnownKey) -> Trigger:
    return Trigger(type=TriggerType.PUBSUB, by="run-requests", api_key_id=key.record.api_key_id)


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
    """Read what may be no request: None where it is no JSON object."""
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _masked(value: Any) -> Any:
    return dict.fromkeys(value, MASK) if isinstance(value, dict) else MASK


def _read(data: bytes) -> dict[str, Any]:
    try:
        body = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise MalformedInput("the message must be JSON") from error
    if not isinstance(body, dict):
        raise MalformedInput("the message must be a JSON object")
    faults = [
        Fault(f"/{name}", f"is unknown; known are {', '.join(FIELDS)}")
        for name in body.keys() - FIELDS.keys()
    ]
    faults += [
        Fault(f"/{name}", f"must be of type {_NOUNS[wanted]}")
        for name, wanted in FIELDS.items()
        if name in body and not isinstance(body[name], wanted)
    ]
    if "config_id" not in body:
        faults.append(Fault("/config_id", "is required"))
    if faults:
        raise InvalidInput(faults, "the run request breaks rules")
    return body
