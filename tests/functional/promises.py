"""What docs/exactly-once.md promises: numbers in tables, such as `N`, `at most 2L + 2` or `3 or 4`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "exactly-once.md"
ROW = re.compile(r"^\| (?P<what>[^|]+?) \| (?P<how_many>[^|]+?) \|$", re.MULTILINE)
TERM = re.compile(r"(?P<factor>[\d,]*)(?P<size>[A-Z]?)")
STEP = re.compile(r"^\| (?P<step>`[^|]+?) \|(?P<numbers>(?: [^|]+ \|){3}) [^|]+ \|$", re.MULTILINE)
MOST = "at most "


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """One number of a table: `what` is counted, and `how_many` are promised."""

    what: str
    how_many: str

    def is_kept_by(self, count: int, sizes: Mapping[str, int]) -> bool:
        """Tell whether a count is what was promised, for sizes such as L=2, N=3."""
        text = self.how_many.partition(", ")[0]
        if text.startswith(MOST):
            return count <= _value(text.removeprefix(MOST), sizes)
        return count in {_value(choice, sizes) for choice in text.split(" or ")}


def promises(heading: str) -> list[Promise]:
    """Read the table of one section."""
    rows = [Promise(**row.groupdict()) for row in ROW.finditer(_section(heading))]
    return [row for row in rows if row.how_many not in {"how many", "---"}]


def costs_of_steps() -> dict[str, tuple[Promise, ...]]:
    """Read what a step of each type takes: jobs, dry runs and requests, by the step's words."""
    found = STEP.finditer(PAGE.read_text(encoding="utf-8"))
    return {
        row["step"]: tuple(
            Promise(what=what, how_many=number.strip())
            for what, number in zip(("jobs", "dry runs", "requests"), row["numbers"].split("|"), strict=False)
        )
        for row in found
    }


def rows_of_table(heading: str) -> dict[str, list[str]]:
    """Read the rows of the table of one section, by their first cells."""
    rows = (line.strip("| ").split(" | ") for line in _section(heading).splitlines() if line.startswith("| "))
    return {row[0]: row for row in rows}


def _section(heading: str) -> str:
    return PAGE.read_text(encoding="utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def _value(text: str, sizes: Mapping[str, int]) -> int:
    return sum(_term(term, sizes) for term in text.split(" + "))


def _term(text: str, sizes: Mapping[str, int]) -> int:
    read = TERM.fullmatch(text)
    if not (text and read):
        raise ValueError(f"{text!r} is no number of the table")
    factor = int(read["factor"].replace(",", "") or 1)
    return factor * (sizes[read["size"]] if read["size"] else 1)
