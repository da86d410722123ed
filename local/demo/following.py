"""Following a run to its end: its status is asked for until it has one."""

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from rich.table import Table

from local.demo.errors import DemoError
from local.demo.progress import ENDED, StepLine, seconds, step_lines
from local.demo.screen import Screen, steps_table

POLL_SECONDS = 0.4  # Each look is a query, on the machine that carries out the run.
LONGEST_RUN_SECONDS = 600.0


def follow(read_status: Callable[[], Mapping[str, Any]], screen: Screen) -> Mapping[str, Any]:
    """Show a run until it has ended and return its last status; DemoError where it does not end."""
    view = _View(screen=screen, status=read_status())
    with view.shown():
        while view.status["status"] not in ENDED:
            if view.elapsed() > LONGEST_RUN_SECONDS:
                raise DemoError(f"the run has not ended after {LONGEST_RUN_SECONDS:g} s")
            time.sleep(POLL_SECONDS)
            view.update(read_status())
    return view.status


@dataclass(slots=True, kw_only=True)
class _View:
    """A run as it is shown: one table that moves, or a line for each change."""

    screen: Screen
    status: Mapping[str, Any]
    _began: float = field(default_factory=time.monotonic)
    _told: dict[str, str] = field(default_factory=dict)

    def shown(self) -> AbstractContextManager[object]:
        """Show the run inside the block."""
        if self.screen.is_terminal:
            return self.screen.drawn(self._table)
        self._tell_changes()
        return nullcontext()

    def update(self, status: Mapping[str, Any]) -> None:
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
        elapsed = run["duration_ms"] / 1000 if run.get("duration_ms") is not None else self.elapsed()
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
