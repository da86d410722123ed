"""Counts of what clients publish, for tests that state what a run costs."""

import threading
from collections import Counter


class Publishes:
    """Requests to publish, and the messages in them, by full name of the topic, since the last reset."""

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self.messages: Counter[str] = Counter()
        self._alone = threading.Lock()

    def note(self, topic: str, messages: int) -> None:
        """Count one request that was taken."""
        with self._alone:
            self.requests[topic] += 1
            self.messages[topic] += messages

    def reset(self) -> None:
        """Start again from zero."""
        with self._alone:
            self.requests.clear()
            self.messages.clear()
