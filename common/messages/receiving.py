"""Receiving pushed messages as CloudEvents, and rejecting those that can never succeed."""

import base64
import binascii
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from common.errors import ConvergenceError, MalformedInput
from common.logs import Trace, log_context, redact
from common.messages.verdicts import Verdict, verdict

logger = logging.getLogger(__name__)

API_KEY = "api_key"
"""The attribute that carries a tenant's key; it goes nowhere from here."""
MOST_ATTRIBUTE_BYTES = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A Pub/Sub message as it was pushed."""

    id: str
    data: bytes
    attributes: Mapping[str, str]


class DeadLetters(Protocol):
    """Where rejected messages go."""

    def publish(self, data: bytes, attributes: Mapping[str, str]) -> None:
        """Send one message; return once it is durable."""


def read_message(event_data: Any) -> Message:
    """Read a message out of a CloudEvent's data; MalformedInput where there is none."""
    try:
        message = event_data["message"]
        return Message(
            id=str(message.get("messageId", "")),
            data=base64.b64decode(message.get("data", ""), validate=True),
            attributes=dict(message.get("attributes") or {}),
        )
    except (KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise MalformedInput("this is no pushed Pub/Sub message") from error


def as_it_is(data: bytes) -> bytes:
    """Keep a rejected message whole."""
    return data


def receive(
    event_data: Any,
    work: Callable[[Message], None],
    dead_letters: DeadLetters,
    as_kept: Callable[[bytes], bytes] = as_it_is,
) -> None:
    """Do the work that a message asks for.

    Returns, and so acknowledges, when the work is done or can never be: then the message has gone to the
    dead-letter topic with its reason, its data as `as_kept` makes it. Raises, and so has it redelivered, when
    it may succeed later.
    """
    message = read_message(event_data)
    given = message.attributes
    labels = {name: given.get(name) for name in ("tenant", "run", "level")}
    with log_context(trace=Trace.parse(given.get("traceparent", "")), **labels):
        try:
            work(message)
        except ConvergenceError as error:
            if verdict(error) is Verdict.REDELIVER:
                logger.warning("message will be redelivered", extra={"error": str(error)})
                raise
            logger.error("message rejected", extra={"error": str(error)})  # noqa: TRY400 - a fault of the message
            kept = {name: value for name, value in given.items() if name != API_KEY}
            dead_letters.publish(as_kept(message.data), kept | {"reason": _reason(error)})


def _reason(error: Exception) -> str:
    """Write a reason as an attribute: Pub/Sub counts bytes, and takes no message that has too many."""
    return redact(str(error)).encode()[:MOST_ATTRIBUTE_BYTES].decode(errors="ignore")
