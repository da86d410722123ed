"""Run events in memory."""

from collections.abc import Sequence

from common.errors import Unavailable
from common.runs.events import Announcer, CheckEvent, Event, LateEvent, RejectedRequest, RunEvent


class MemoryEvents:
    """`EventPublisher`; out of order while `is_down`."""

    def __init__(self) -> None:
        self.sent: list[RunEvent] = []
        self.checks: list[CheckEvent] = []
        self.late: list[LateEvent] = []
        self.rejected: list[RejectedRequest] = []
        self.is_down = False

    def publish_events(self, events: Sequence[Event]) -> None:
        if self.is_down:
            raise Unavailable("no answer")
        self.sent += [event for event in events if isinstance(event, RunEvent)]
        self.checks += [event for event in events if isinstance(event, CheckEvent)]
        self.late += [event for event in events if isinstance(event, LateEvent)]
        self.rejected += [event for event in events if isinstance(event, RejectedRequest)]


def silent() -> Announcer:
    """Make an announcer that nobody listens to."""
    return Announcer(publisher=MemoryEvents())
