"""Receiving pushed messages as CloudEvents, and rejecting those that can never succeed."""

import base64
import binascii
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

from werkzeug.exceptions import ServiceUnavailable

from common.errors import ConvergenceError, MalformedInput, MessageRefused
from common.logs import Trace, log_context, redact
from common.messages.verdicts import Verdict, verdict
from common.runs.dead_letters import REJECTED_BY, RejectedBy
from common.strict_json import JsonViolation, check_text

logger = logging.getLogger(__name__)

API_KEY = "api_key"
"""The attribute that carries a tenant's key; it goes nowhere from here."""
REASON = "reason"
LABELS = ("tenant", "run", "level")
"""Attributes of a level's message that its log lines bear."""
MAX_KEPT_ATTRIBUTES = 90
"""Of the 100 that Pub/Sub takes: ours and those of a forwarded letter come on top."""
MAX_NAME_BYTES = 256
MAX_ATTRIBUTE_BYTES = 1024
_OURS = (API_KEY, REASON, REJECTED_BY, "goog", "CloudPubSub")
"""How the names begin that no stranger gives to what goes on: ours, and those of the service itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A Pub/Sub message as it was pushed."""

    id: str
    data: bytes
    attributes: Mapping[str, str]


class Redelivered(ServiceUnavailable):
    """A push that is answered with 503, so that the message comes again; its cause is a line of the log."""


class DeadLetters(Protocol):
    """Where rejected messages go."""

    def publish(self, data: bytes, attributes: Mapping[str, str]) -> None:
        """Send one message; return once it is durable. MessageRefused where it never will be."""


def read_message(event_data: Any) -> Message:
    """Read a message out of a CloudEvent's data; MalformedInput where there is none."""
    try:
        message = event_data["message"]
        attributes = dict(message.get("attributes") or {})
        for text in (*attributes, *attributes.values()):
            check_text(text)
        return Message(
            id=str(message.get("messageId", "")),
            data=base64.b64decode(message.get("data", ""), validate=True),
            attributes=attributes,
        )
    except (KeyError, TypeError, ValueError, AttributeError, binascii.Error, JsonViolation) as error:
        raise MalformedInput("this is no pushed Pub/Sub message") from error


def as_it_is(data: bytes) -> bytes:
    """Keep a rejected message whole."""
    return data


def receive(
    event_data: Any,
    work: Callable[[Message], None],
    dead_letters: DeadLetters,
    rejected_by: RejectedBy,
    as_kept: Callable[[bytes], bytes] = as_it_is,
) -> None:
    """Do the work that a message asks for.

    Returns, and so acknowledges, when the work is done or can never be: then the message has gone to the
    dead-letter topic with its reason, its data as `as_kept` makes it. Raises Redelivered, or what nobody has
    foreseen, when it may succeed later. What is no message, and what the topic does not take, is dropped with
    a line in the log: sent again, it would come to the dead letters in the end as it is, as if given up.
    """
    try:
        message = read_message(event_data)
    except MalformedInput as error:
        logger.error("push dropped", extra={"error": str(error)})  # noqa: TRY400 - a fault of the push
        return
    given = message.attributes
    # Who asks for a run may say anything of it; the attributes of a level's message are the platform's own.
    labels = {name: given.get(name) for name in LABELS} if rejected_by is RejectedBy.RUN_LEVEL else {}
    with log_context(trace=Trace.parse(given.get("traceparent", "")), **labels):
        try:
            work(message)
        except ConvergenceError as error:
            if verdict(error) is Verdict.REDELIVER:
                logger.warning("message will be redelivered", extra={"error": str(error)})
                raise Redelivered from error
            logger.error("message rejected", extra={"error": str(error)})  # noqa: TRY400 - a fault of the message
            ours = {REASON: _reason(error), REJECTED_BY: rejected_by.value}
            _keep(dead_letters, as_kept(message.data), _kept(given) | ours)


def _keep(dead_letters: DeadLetters, data: bytes, attributes: Mapping[str, str]) -> None:
    try:
        dead_letters.publish(data, attributes)
    except MessageRefused as refused:
        logger.error("rejected message dropped", extra={"error": str(refused)})  # noqa: TRY400


def _kept(given: Mapping[str, str]) -> dict[str, str]:
    """Return the attributes that a rejected message keeps: none that says who forwarded it, or why."""
    fit = (
        (name, value)
        for name, value in given.items()
        if not name.startswith(_OURS)
        and 0 < len(name.encode()) <= MAX_NAME_BYTES
        and len(value.encode()) <= MAX_ATTRIBUTE_BYTES
    )
    return dict(islice(fit, MAX_KEPT_ATTRIBUTES))


def _reason(error: Exception) -> str:
    """Write a reason as an attribute: Pub/Sub counts bytes, and takes no message that has too many."""
    text = redact(str(error)).encode(errors="replace").replace(b"\0", b"?")
    return text[:MAX_ATTRIBUTE_BYTES].decode(errors="ignore")
