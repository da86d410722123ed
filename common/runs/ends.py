"""How a run ends before its time: by its message, or because it has taken too long."""

from datetime import datetime, timedelta

from common.runs.level_messages import LevelMessage
from common.runs.run import EndReason, RunStatus

type End = tuple[RunStatus, str, EndReason]
"""How, and by what, a run is to end before its time."""


def end_of(message: LevelMessage, now: datetime) -> End | None:
    """Say how the run of a message is to end right now, None where it goes on."""
    if message.end_reason:
        return RunStatus.FAILED, message.end_reason, EndReason.NOT_CONTINUED
    minutes = message.pipeline.timeout_minutes
    if now - message.run.started_at > timedelta(minutes=minutes):
        error = f"the run took longer than its timeout of {minutes} minutes"
        return RunStatus.FAILED, error, EndReason.TIMEOUT
    return None
