"""Level messages, as they arrive."""

from dataclasses import dataclass, field

from common.messages.receiving import Message
from common.runs.level_messages import SIGNATURE, LevelKeys, decode
from common.runs.levels import LevelWorker


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelReceiver:
    """Carries out the level that a message describes."""

    worker: LevelWorker
    keys: LevelKeys = field(default_factory=LevelKeys)

    def __call__(self, message: Message) -> None:
        """Do the message's work; Forbidden where it is not the platform's own, InvalidInput where none."""
        self.keys.check(message.data, message.attributes.get(SIGNATURE, ""))
        self.worker.carry_out(decode(message.data))
