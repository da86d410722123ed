"""Dead letters: a level message that could not be handled fails its run, with the cause.

Requests for runs end on the same topic, and strangers write those: what a letter says is believed only as far
as where it comes from. A letter that Pub/Sub forwards names the subscription that gave it up, in attributes
of that name's prefix; one that a function rejects says which function it was. Neither is believed of a run
that the store does not know, by its tenant, ID and ticket.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from common.errors import ConvergenceError, Forbidden, InvalidInput
from common.logs import log_context
from common.runs.level_messages import SIGNATURE, LevelKeys, LevelMessage, decode
from common.runs.levels import LevelWorker
from common.runs.progress import OpenRun, ProgressReader
from common.times import Clock

logger = logging.getLogger(__name__)

SOURCE_PREFIX = "CloudPubSubDeadLetterSource"
REJECTED_BY = "rejected_by"
NO_REASON = "it was delivered too often without success"


class RejectedBy(StrEnum):
    """The function that has rejected a message for good."""

    RUN_LEVEL = "run_level"
    RUN_REQUEST = "run_request"
    NOTIFY = "notify"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A message that was given up, and what acknowledges it."""

    data: bytes
    attributes: Mapping[str, str]
    receipt: str

    @property
    def reason(self) -> str:
        """Why it was given up."""
        return self.attributes.get("reason") or NO_REASON

    def is_of_levels(self, project: str, subscription: str) -> bool:
        """Tell whether the subscription to levels gave it up, or the function that it pushes to."""
        attributes = self.attributes
        if any(name.startswith(SOURCE_PREFIX) for name in attributes):
            source = attributes.get(f"{SOURCE_PREFIX}Subscription", "")
            return (
                source.rpartition("/")[2] == subscription
                and attributes.get(f"{SOURCE_PREFIX}SubscriptionProject") == project
            )
        return attributes.get(REJECTED_BY) == RejectedBy.RUN_LEVEL


class DeadLetterInbox(Protocol):
    """The dispatcher's own subscription to the dead-letter topic; the operator has another."""

    def pull(self) -> Sequence[DeadLetter]:
        """Return what waits, some of it; nothing where nothing does."""

    def acknowledge(self, letters: Sequence[DeadLetter]) -> None:
        """Have letters never come again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterHandler:
    """Ends the runs of dead level messages; to end one twice is to end it once.

    A letter that cannot be handled now comes again, and keeps no other from being handled.
    """

    inbox: DeadLetterInbox
    reader: ProgressReader
    worker: LevelWorker
    clock: Clock
    project: str
    levels_subscription: str
    keys: LevelKeys = field(default_factory=LevelKeys)

    def handle(self) -> int:
        """Handle what waits and count the runs that it ended."""
        handled: list[DeadLetter] = []
        ended = 0
        for letter in self.inbox.pull():
            try:
                ended += self._ended(letter)
            except ConvergenceError:
                logger.exception("dead letter left for the next minute")
            else:
                handled.append(letter)
        if handled:
            self.inbox.acknowledge(handled)
        return ended

    def _ended(self, letter: DeadLetter) -> bool:
        message = self._message(letter)
        if message is None:
            return False
        with log_context(tenant=message.run.tenant_id, run=message.run.run_id):
            found = self._find(message)
            if found is None:
                logger.error("dead letter of a run that nobody knows", extra={"reason": letter.reason})
                return False
            if found.status.is_terminal:
                return False
            reason = _reason(found, letter)
            self.worker.give_up(
                found.ending_message(f"level {message.level} could not be carried out: {reason}")
            )
            logger.error("run failed by a dead letter", extra={"level": message.level, "reason": reason})
        return True

    def _message(self, letter: DeadLetter) -> LevelMessage | None:
        if not letter.is_of_levels(self.project, self.levels_subscription):
            logger.info("dead letter is no level's", extra={"reason": letter.reason})
            return None
        try:
            self.keys.check(letter.data, letter.attributes.get(SIGNATURE, ""))
            return decode(letter.data)
        except Forbidden:
            logger.error("dead letter is signed by nobody", extra={"reason": letter.reason})  # noqa: TRY400
            return None
        except InvalidInput:
            logger.error("dead letter is no level message", extra={"reason": letter.reason})  # noqa: TRY400
            return None

    def _find(self, message: LevelMessage) -> OpenRun | None:
        run = message.run
        found = self.reader.find(run.tenant_id, run.run_id, self.clock())
        return found if found and found.run.ticket == run.ticket else None


def _reason(found: OpenRun, letter: DeadLetter) -> str:
    """Say why a message was given up, and what a step of its run had last been stopped by."""
    trouble = found.progress.last_trouble
    return f"{letter.reason}; a step of it {trouble}" if trouble else letter.reason
