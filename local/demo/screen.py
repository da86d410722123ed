"""What the demo shows: on a terminal with colours and a table that moves, elsewhere as plain lines."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.live import Live
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cli.drawing import STYLES

INDENT = 4
WIDTH_OF_NO_TERMINAL = 120
REDRAWS_PER_SECOND = 8


class Screen:
    """Writes to one console."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or _console()
        self._chapters = 0

    @property
    def is_terminal(self) -> bool:
        """Tell whether what has been drawn can be drawn over."""
        return self._console.is_terminal

    def chapter(self, title: str) -> None:
        """Begin the next part."""
        self._chapters += 1
        self._console.print()
        self._say(f"{self._chapters:>2}  {title}", style="bold")

    def command(self, text: str) -> None:
        """Show a command as it would be typed."""
        for line in text.splitlines():
            self._say(f"    {line}", style="dim")

    def answer(self, text: str) -> None:
        """Show what came of it."""
        self._say(f"    → {text}")

    def line(self, text: str, status: str = "") -> None:
        """Show one line, in the colour of a state."""
        self._say(f"    {text}", style=STYLES.get(status, ""))

    def rows(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Show rows as a table, columns in the order of the first one."""
        table = Table(*(rows[0] if rows else ()), box=SIMPLE)
        for row in rows:
            # Text: what is in a tenant's rows is no markup.
            table.add_row(*(Text("" if value is None else str(value)) for value in row.values()))
        self._console.print(Padding(table, (0, 0, 0, INDENT), expand=False))

    def end(self, text: str, *, is_good: bool) -> None:
        """Say how the demo ended."""
        self._console.print()
        self._say(text, style="bold green" if is_good else "bold red")

    def busy(self, text: str) -> AbstractContextManager[object]:
        """Say what is being waited for inside the block."""
        if self.is_terminal:
            return self._console.status(text)
        self._say(text)
        return nullcontext()

    def drawn(self, draw: Callable[[], Table]) -> AbstractContextManager[object]:
        """Keep a table drawn, as it is at each moment, inside the block."""
        return Live(
            get_renderable=lambda: Padding(draw(), (0, 0, 0, INDENT), expand=False),
            console=self._console,
            refresh_per_second=REDRAWS_PER_SECOND,
        )

    def _say(self, text: str, style: str = "") -> None:
        self._console.print(Text(text, style=style), soft_wrap=True)


def _console() -> Console:
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = WIDTH_OF_NO_TERMINAL
    return console
