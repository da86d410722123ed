"""The levels' push subscription of a world: messages wait in a line where as many as may are out."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from common.times import Clock
from local.pubsub.windows import SlowStart


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """How long a message stood in the line, and how many pushes were out or stood there before it."""

    name: str
    ahead: int
    lasted: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    name: str
    work: Callable[[], None]
    since: datetime
    ahead: int


@dataclass(slots=True, kw_only=True)
class Pushes:
    """Lets as many pushes out at once as the window says; whoever ends lets the next ones out."""

    window: SlowStart
    clock: Clock
    enter: Callable[[str, Callable[[], None]], None]
    waits: list[Wait] = field(default_factory=list)
    _line: deque[_Waiting] = field(default_factory=deque)
    _out: int = 0

    def push(self, name: str, work: Callable[[], None]) -> None:
        """Have a message wait its turn, which may be now."""
        ahead = self._out + len(self._line)
        self._line.append(_Waiting(name=name, work=work, since=self.clock(), ahead=ahead))
        self._let_out()

    def end(self, *, is_acknowledged: bool) -> None:
        """Take back a push that has been answered, or whose process has died."""
        self._out -= 1
        self.window.note(is_acknowledged=is_acknowledged)
        self._let_out()

    def _let_out(self) -> None:
        while self._line and self._out < self.window.size:
            following = self._line.popleft()
            self._out += 1
            lasted = self.clock() - following.since
            self.waits.append(Wait(name=following.name, ahead=following.ahead, lasted=lasted))
            self.enter(following.name, following.work)
