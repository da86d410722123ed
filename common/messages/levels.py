"""Level messages, as they arrive."""

from dataclasses import dataclass

from common.messages.receiving import Message
from common.runs.level_messages import decode
from common.runs.levels import LevelWorker


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelReceiver:
    """Carries out the level that a message describes."""

    worker: LevelWorker

    def __call__(self, message: Message) -> None:
        """Do the message's work; InvalidInput where it describes no level."""
        self.worker.carry_out(decode(message.data))
