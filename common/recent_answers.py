"""Answers kept for a short while, so that not every request asks the tables."""

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock


@dataclass(slots=True, kw_only=True)
class RecentAnswers[Answer]:
    """A bounded memory: an answer lives for `lifetime`, and the oldest one makes room when it is full."""

    lifetime: timedelta
    capacity: int
    _answers: OrderedDict[str, tuple[datetime, Answer]] = field(default_factory=OrderedDict, repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def get(self, question: str, now: datetime) -> Answer | None:
        """Return the answer, None where there is none that is young enough."""
        with self._lock:
            asked_at, answer = self._answers.get(question, (None, None))
        if asked_at is None or now - asked_at >= self.lifetime:
            return None
        return answer

    def put(self, question: str, answer: Answer, asked_at: datetime) -> None:
        """Keep an answer; its life counts from when it was asked for, not from when it came."""
        with self._lock:
            self._answers.pop(question, None)
            self._answers[question] = (asked_at, answer)
            while len(self._answers) > self.capacity:
                self._answers.popitem(last=False)
