"""Paces: how often something is begun at the most, however many threads would."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class Pace:
    """Gives each caller its turn, one after another at even distances; an idle time is not made up for."""

    per_second: float
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _next_turn: float = 0.0
    _alone: threading.Lock = field(default_factory=threading.Lock)

    def keep(self) -> None:
        """Return when it is the caller's turn."""
        with self._alone:
            now = self.clock()
            turn = max(now, self._next_turn)
            self._next_turn = turn + 1 / self.per_second
        if turn > now:
            self.sleep(turn - now)
