"""How states and steps look on a terminal."""

from collections.abc import Iterable

from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from cli.progress import StepLine

STYLES = {
    "COMPLETED": "green",
    "PASSED": "green",
    "WARNED": "yellow",
    "RUNNING": "yellow",
    "FAILED": "red",
    "CANCELLED": "magenta",
    "PENDING": "dim",
    "SKIPPED": "dim",
}


def steps_table(title: str, lines: Iterable[StepLine]) -> Table:
    """Draw a run's steps."""
    table = Table("Level", "Step", "State", title=title, title_justify="left", title_style="", box=SIMPLE)
    table.add_column("Duration", justify="right")
    table.add_column("Rows", justify="right")
    table.add_column("Target")
    level = 0
    for line in lines:
        state = Text(line.status, style=STYLES.get(line.status, ""))
        number = str(line.level) if line.level != level else ""
        table.add_row(number, line.step, state, line.duration, line.rows, line.target)
        level = line.level
    return table
