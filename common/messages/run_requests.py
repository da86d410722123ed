"""Requests for runs, as they arrive: `{config_id, parameters?, idempotency_key?, tenant_id?, queue?}`.

The API key comes as an attribute of the message.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from common.errors import Fault, Forbidden, InvalidInput, MalformedInput
from common.logs import MASK, current_traceparent, log_context
from common.messages.receiving import API_KEY, Message
from common.runs.run import Trigger, TriggerType
from common.runs.starting import RunRequest, RunStarter
from common.tenants.authentication import Authenticator
from common.tenants.keys import Scope

FIELDS: dict[str, type] = {
    "config_id": str,
    "parameters": dict,
    "idempotency_key": str,
    "tenant_id": str,
    "queue": bool,
}
_NEVER_SECRET = ("config_id", "idempotency_key", "tenant_id", "queue")
_NOUNS = {dict: "object", str: "string", bool: "boolean"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequestReceiver:
    """Starts the run that a message asks for, with the same admission as over HTTP."""

    authenticator: Authenticator
    starter: RunStarter
    new_trace: Callable[[], str] = current_traceparent

    def __call__(self, message: Message) -> None:
        """Do the message's work; raises as `RunStarter.start` does, and for a key that is not valid."""
        caller = self.authenticator.authenticate(message.attributes.get(API_KEY))
        caller.require(Scope.RUN)
        body = _read(message.data)
        if body.get("tenant_id", caller.tenant_id) != caller.tenant_id:
            raise Forbidden("the API key is not this tenant's")
        with log_context(tenant=caller.tenant_id):
            self.starter.start(
                RunRequest(
                    tenant_id=caller.tenant_id,
                    config_id=body["config_id"],
                    trigger=Trigger(type=TriggerType.PUBSUB, by="run-requests", api_key_id=caller.api_key_id),
                    parameters=body.get("parameters", {}),
                    idempotency_key=body.get("idempotency_key") or f"message-{message.id}",
                    traceparent=self.new_trace(),
                    may_wait=body.get("queue", False),
                )
            )


def without_values(data: bytes) -> bytes:
    """Write a rejected request without what may be a secret: which parameters are, nobody has looked up."""
    try:
        body = json.loads(data)
    except ValueError:
        return MASK.encode()
    if not isinstance(body, dict):
        return MASK.encode()
    return json.dumps(
        {name: value if name in _NEVER_SECRET else _masked(value) for name, value in body.items()}
    ).encode()


def _masked(value: Any) -> Any:
    return dict.fromkeys(value, MASK) if isinstance(value, dict) else MASK


def _read(data: bytes) -> dict[str, Any]:
    try:
        body = json.loads(data)
    except ValueError as error:
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
