"""How often a source may guess: wrong keys are counted per network, instance and window."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil
from threading import Lock
from time import monotonic

from common.addresses import network_of
from common.errors import RateLimited


@dataclass(slots=True, kw_only=True)
class WrongKeys:
    """The wrong keys of each source in its present window.

    A source over the limit is refused whatever key it brings: to let the right one through would answer it.
    """

    most: int = 30
    window_seconds: float = 60.0
    capacity: int = 10_000
    clock: Callable[[], float] = monotonic
    _windows: OrderedDict[str, tuple[float, int]] = field(default_factory=OrderedDict, repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def check(self, source: str) -> None:
        """Raise RateLimited where a source has brought too many wrong keys."""
        with self._lock:
            ends, count = self._window_of(source)
        if count >= self.most:
            raise RateLimited("too many wrong keys from this address", ceil(ends - self.clock()))

    def count(self, source: str) -> None:
        """Note a wrong key."""
        with self._lock:
            ends, count = self._window_of(source)
            network = network_of(source)
            self._windows[network] = (ends, count + 1)
            self._windows.move_to_end(network)
            if len(self._windows) > self.capacity:
                self._windows.popitem(last=False)

    def _window_of(self, source: str) -> tuple[float, int]:
        now = self.clock()
        ends, count = self._windows.get(network_of(source), (0.0, 0))
        return (ends, count) if ends > now else (now + self.window_seconds, 0)
