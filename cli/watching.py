"""Watching a run to its end: a table that moves on a terminal, a line for each change elsewhere."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from rich.table import Table

from cli.drawing import steps_table
from cli.progress import StepLine, seconds, step_lines
from common.client.following import Pace, ReadStatus, follow
from common.client.runs import RunStatus

__all__ = ["Pace", "Screen", "watch"]


class Screen(Protocol):
    """Where a run is shown."""

    @property
    def is_terminal(self) -> bool:
        """Tell whether what has been drawn can be drawn over."""

    def drawn(self, draw: Callable[[], Table]) -> AbstractContextManager[object]:
        """Keep a table drawn, as it is at each moment, inside the block."""

    def line(self, text: str, status: str = "") -> None:
        """Show one line, in the colour of a state."""


def watch(read_status: ReadStatus, screen: Screen, pace: Pace | None = None) -> RunStatus:
    """Show a run until it has ended and return its last status; StillRunning where it does not end."""
    seen = follow(read_status, pace)
    view = _View(screen=screen, status=next(seen))
    last = view.status
    with view.shown():
        for last in seen:
            view.update(last)
    return last


@dataclass(slots=True, kw_only=True)
class _View:
    """A run as it is shown: one table that moves, or a line for each change."""

    screen: Screen
    status: RunStatus
    _began: float = field(default_factory=time.monotonic)
    _told: dict[str, str] = field(default_factory=dict)

    def shown(self) -> AbstractContextManager[object]:
        """Show the run inside the block."""
        if self.screen.is_terminal:
            return self.screen.drawn(self._table)
        self._tell_changes()
        return nullcontext()

    def update(self, status: RunStatus) -> None:
        """Show a newer state."""
        self.status = status
        if not self.screen.is_terminal:
            self._tell_changes()

    def elapsed(self) -> float:
        """Return for how many seconds the run has been followed."""
        return time.monotonic() - self._began

    def _table(self) -> Table:
        run = self.status
        # The platform's own figure once there is one: it counts from the admission.
        milliseconds = run.get("duration_ms")
        elapsed = self.elapsed() if milliseconds is None else milliseconds / 1000
        title = f"{run['pipeline_id']}  {run['status']}  {seconds(elapsed)}"
        return steps_table(title, step_lines(run, datetime.now(UTC)))

    def _tell_changes(self) -> None:
        for line in step_lines(self.status, datetime.now(UTC)):
            if self._told.get(line.step) != line.status:
                self._told[line.step] = line.status
                self.screen.line(f"{seconds(self.elapsed()):>7}  {_in_words(line)}", line.status)


def _in_words(line: StepLine) -> str:
    figures = [line.duration, f"{line.rows} rows", line.target] if line.rows else [line.error]
    words = "  ".join(figures)
    return f"level {line.level}  {line.step}  {line.status}  {words}".rstrip()
