"""Dead letters: a level message that could not be handled fails its run, with the cause."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from common.errors import InvalidInput
from common.logs import log_context
from common.runs.level_messages import decode
from common.runs.levels import LevelWorker

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A message that was given up, why, and what acknowledges it."""

    data: bytes
    reason: str
    receipt: str


class DeadLetterInbox(Protocol):
    """The dispatcher's own subscription to the dead-letter topic; the operator has another."""

    def pull(self) -> Sequence[DeadLetter]:
        """Return what waits, some of it; nothing where nothing does."""

    def acknowledge(self, letters: Sequence[DeadLetter]) -> None:
        """Have letters never come again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterHandler:
    """Ends the runs of dead level messages; to end one twice is to end it once."""

    inbox: DeadLetterInbox
    worker: LevelWorker

    def handle(self) -> int:
        """Handle what waits and count the runs that it ended."""
        letters = self.inbox.pull()
        ended = sum(self._ended(letter) for letter in letters)
        if letters:
            self.inbox.acknowledge(letters)
        return ended

    def _ended(self, letter: DeadLetter) -> bool:
        try:
            message = decode(letter.data)
        except InvalidInput:
            logger.error("dead letter is no level message", extra={"reason": letter.reason})  # noqa: TRY400
            return False
        with log_context(tenant=message.run.tenant_id, run=message.run.run_id):
            self.worker.give_up(message, letter.reason)
            logger.error(
                "run failed by a dead letter", extra={"level": message.level, "reason": letter.reason}
            )
        return True
