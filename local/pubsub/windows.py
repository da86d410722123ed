"""How many pushes of a subscription are out at once: a window that answers open and failures close.

Google's page on push subscriptions says: the window begins small, with one digit, grows with each
acknowledgement (so twice as large with each round of answers), shrinks with each failure, and is 3,000 at the
most where answers take longer than a second. How much it shrinks the page does not say; here it is halved,
and never shut.
"""

from dataclasses import dataclass
from typing import Protocol

FIRST_PUSHES = 5
MAX_PUSHES = 3_000


class PushWindow(Protocol):
    """The pushes of one subscription that may be out at once."""

    @property
    def size(self) -> int:
        """Tell how many these are now."""
        ...

    def note(self, *, is_acknowledged: bool) -> None:
        """Hear of a push that has ended."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedWindow:
    """As many pushes at once, however they end: a kindness for tests of other things."""

    size: int

    def note(self, *, is_acknowledged: bool) -> None:
        """Stay as it is."""


@dataclass(slots=True, kw_only=True)
class SlowStart:
    """Few pushes at once, and one more for each that is acknowledged; half as many after one that fails."""

    most: int = MAX_PUSHES
    size: int = FIRST_PUSHES

    def __post_init__(self) -> None:
        self.size = min(self.size, self.most)

    def note(self, *, is_acknowledged: bool) -> None:
        """Open by one, or close by half."""
        self.size = min(self.size + 1, self.most) if is_acknowledged else max(self.size // 2, 1)
