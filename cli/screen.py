"""What the commands show: on a terminal with colours and tables, elsewhere as plain lines and columns."""

import json
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cli.drawing import STYLES
from cli.failures import Failure
from cli.words import cell, plain

REDRAWS_PER_SECOND = 8


class Screen:
    """Writes answers to the standard output, and everything else to the standard error."""

    def __init__(self, out: Console | None = None, error: Console | None = None) -> None:
        self._out = out or Console(highlight=False)
        self._error = error or Console(stderr=True, highlight=False)

    @property
    def notes(self) -> "Screen":
        """The same for what is no answer: on the standard error."""
        return Screen(out=self._error, error=self._error)

    @property
    def is_terminal(self) -> bool:
        """Tell whether what has been drawn can be drawn over."""
        return self._out.is_terminal

    def line(self, text: str, status: str = "") -> None:
        """Show one line, in the colour of a state."""
        self._out.print(Text(plain(text), style=STYLES.get(status, "")), soft_wrap=True)

    def note(self, text: str) -> None:
        """Say something that is no answer."""
        self._error.print(Text(plain(text)), soft_wrap=True)

    def text(self, text: str) -> None:
        """Write a text as it is: to be read by programs."""
        sys.stdout.write(text if text.endswith("\n") else f"{text}\n")
        sys.stdout.flush()

    def json(self, value: Any) -> None:
        """Write a value as JSON; all that is no ASCII is escaped, so that no terminal is steered by it."""
        self.text(json.dumps(value, indent=2))

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[Any]], status: int | None = None) -> None:
        """Show rows; `status` is the number of the column that holds states."""
        cells = [[cell(value) for value in row] for row in rows]
        if not self.is_terminal:
            self._columns([list(columns), *cells])
            return
        table = Table(*columns, box=SIMPLE, pad_edge=False)
        for row in cells:
            style = STYLES.get(row[status], "") if status is not None else ""
            table.add_row(
                *(Text(value, style=style if number == status else "") for number, value in enumerate(row))
            )
        self._out.print(table)

    def fields(self, pairs: Sequence[tuple[str, Any]]) -> None:
        """Show what is known of one thing, a line each."""
        shown = [(name, cell(value)) for name, value in pairs if value not in (None, "", [])]
        width = max((len(name) for name, _ in shown), default=0) + 2
        for name, value in shown:
            self.line(f"{name:<{width}}{value}", value)

    def drawn(self, draw: Callable[[], Table]) -> AbstractContextManager[object]:
        """Keep a table drawn, as it is at each moment, inside the block."""
        return Live(get_renderable=draw, console=self._out, refresh_per_second=REDRAWS_PER_SECOND)

    def failure(self, failure: Failure) -> None:
        """Say what went wrong: each place with its rule, and what to do next."""
        self._error.print(Text(plain(failure.message), style="bold red"), soft_wrap=True)
        for place in failure.places:
            self._error.print(Text(f"  {plain(place.where)}: {plain(place.rule)}"), soft_wrap=True)
        if failure.next_step:
            self._error.print(Text(f"Next: {failure.next_step}"), soft_wrap=True)

    def _columns(self, rows: list[list[str]]) -> None:
        widths = [max(len(row[number]) for row in rows) for number in range(len(rows[0]))]
        for row in rows:
            padded = "  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True))
            self.text(padded.rstrip())
