"""What every contestant is asked for: levels of steps, each of which makes a table of its own anew."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """So many levels of so many steps."""

    levels: int
    steps: int

    @classmethod
    def read(cls, name: str) -> Self:
        """Read it in short."""
        levels, _, steps = name.partition("x")
        return cls(levels=int(levels), steps=int(steps))

    @property
    def name(self) -> str:
        """Say it in short."""
        return f"{self.levels}x{self.steps}"

    @property
    def tables(self) -> int:
        """Count all steps."""
        return self.levels * self.steps

    def rows(self) -> Iterator[list["Table"]]:
        """List the tables, level by level."""
        for level in range(1, self.levels + 1):
            yield [Table(level=level, step=step) for step in range(1, self.steps + 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What one step makes: of the first level a row, of each other level what the step above it made."""

    level: int
    step: int

    @property
    def name(self) -> str:
        """Name the table, and its step."""
        return f"s{self.level}_{self.step}"

    @property
    def source(self) -> str:
        """Name the table that it reads, "" for none."""
        return f"s{self.level - 1}_{self.step}" if self.level > 1 else ""

    def sql(self, source: str) -> str:
        """Write its SELECT, by how its source is to be written."""
        return f"SELECT n + 1 AS n FROM {source}" if self.source else "SELECT 1 AS n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A shape in a dataset of a BigQuery that answers at `url`."""

    shape: Shape
    project: str
    dataset: str
    url: str

    def write(self, file: Path) -> Path:
        """Write it down for a program of another environment."""
        levels = [[self._step(table) for table in level] for level in self.shape.rows()]
        told = {"project": self.project, "dataset": self.dataset, "url": self.url, "levels": levels}
        file.write_text(json.dumps(told), encoding="utf-8")
        return file

    def _step(self, table: Table) -> dict[str, Any]:
        name, source = (f"{self.project}.{self.dataset}.{one}" for one in (table.name, table.source))
        return {"name": table.name, "table": name, "source": table.source, "sql": table.sql(f"`{source}`")}
