"""Checks: what each expects of a table, as a step's plan carries it; its SQL is the plan's."""

from dataclasses import dataclass
from enum import StrEnum

MIN_EARLIER_VALUES = 3
"""Fewer values of earlier runs tell nothing of what is usual."""


class Severity(StrEnum):
    """What follows on rows that break a check: `error` fails the step, `warn` is only told."""

    ERROR = "error"
    WARN = "warn"


class Judgement(StrEnum):
    """What decides whether a check is passed."""

    ROWS = "rows"
    """How many rows break it."""
    TABLE = "table"
    """The table as a whole, which BigQuery itself has judged."""
    VALUE = "value"
    """A value, held against bounds and against earlier runs."""
    COLUMNS = "columns"
    """The columns that the table has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """How many rows may break a check; what is None sets no limit, and where both are, none may."""

    max_failed_rows: int | None = None
    max_failed_percent: float | None = None

    def allows(self, failed: int, percent: float) -> bool:
        """Tell whether so many rows may break the check."""
        if self.max_failed_rows is None and self.max_failed_percent is None:
            return failed == 0
        in_rows = self.max_failed_rows is None or failed <= self.max_failed_rows
        return in_rows and (self.max_failed_percent is None or percent <= self.max_failed_percent)

    def __str__(self) -> str:
        limits = []
        if self.max_failed_rows is not None:
            limits.append(f"{self.max_failed_rows:,}")
        if self.max_failed_percent is not None:
            limits.append(f"{self.max_failed_percent:g} %")
        return f"at most {' and '.join(limits)} of the rows" if limits else "no row"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Between which values a value must be, bounds included; and how far from those of earlier runs."""

    minimum: float | None = None
    maximum: float | None = None
    max_change_percent: float | None = None
    """How far from the median of earlier values, in per cent of it."""
    max_deviations: float | None = None
    """How far from the median of earlier values, in their spread (a robust standard deviation)."""
    earlier_runs: int = 0
    """How many of the last values are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnContract:
    """A column that a table must have; "" leaves it open what type or mode."""

    name: str
    type: str = ""
    mode: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check of a table."""

    name: str
    type: str
    judgement: Judgement = Judgement.ROWS
    severity: Severity = Severity.ERROR
    description: str = ""
    expected: str = ""
    """What is expected, in words, without how many rows may break it."""
    tolerance: Tolerance = Tolerance()
    bounds: Bounds = Bounds()
    columns: tuple[ColumnContract, ...] = ()
    allows_more_columns: bool = True
