"""Verdicts: what came of a table's checks, by what BigQuery has counted; the same for the same counts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from common.quality.checks import Check, Judgement, Severity
from common.quality.contracts import FoundColumn, broken_contract
from common.quality.usual_values import judge_value

ROW_COUNT = "row_count"
CHECKED, FAILED, OBSERVED = "checked", "failed", "observed"
"""Columns of the one row of a checks' query: ROW_COUNT, and each of these with the number of a check."""


class CheckStatus(StrEnum):
    """What came of a check."""

    PASSED = "PASSED"
    WARNED = "WARNED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of one check of a table; figures that a check does not have are None."""

    check: Check
    status: CheckStatus
    row_count: int | None = None
    """The rows that were looked at."""
    failed_rows: int | None = None
    failed_percent: float | None = None
    observed: str
    expected: str
    value: float | None = None
    """What later runs are held against."""

    def __str__(self) -> str:
        return f"{self.check.name}: {self.observed}, expected {self.expected}"


type Earlier = Callable[[str, int], Sequence[float]]
"""The last values of a check in earlier runs, the latest first, by its name and how many at the most."""
type Columns = Callable[[], Sequence[FoundColumn]]
"""The columns of the checked table."""


def judge(
    checks: Sequence[Check], counts: Mapping[str, Any], earlier: Earlier, columns: Columns
) -> tuple[Verdict, ...]:
    """Judge all checks of a table; nobody is asked for what no check needs."""
    return tuple(
        _judged(check, _Counts.of(counts, number), earlier, columns) for number, check in enumerate(checks)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counts:
    """What BigQuery has counted for one check."""

    checked: int
    failed: int
    observed: str | None

    @classmethod
    def of(cls, counts: Mapping[str, Any], number: int) -> "_Counts":
        checked = counts.get(f"{CHECKED}_{number}")
        return cls(
            checked=int(counts[ROW_COUNT] if checked is None else checked),
            failed=int(counts.get(f"{FAILED}_{number}") or 0),
            observed=counts.get(f"{OBSERVED}_{number}"),
        )


def _judged(check: Check, counts: _Counts, earlier: Earlier, columns: Columns) -> Verdict:
    match check.judgement:
        case Judgement.ROWS:
            return _judge_rows(check, counts)
        case Judgement.TABLE:
            return _judge_table(check, counts)
        case Judgement.VALUE:
            return _judge_value(check, counts, earlier)
        case Judgement.COLUMNS:
            return _judge_columns(check, counts, columns)


def _judge_rows(check: Check, counts: _Counts) -> Verdict:
    percent = 100 * counts.failed / counts.checked if counts.checked else 100.0 * bool(counts.failed)
    return Verdict(
        check=check,
        status=_status(check, is_good=check.tolerance.allows(counts.failed, percent)),
        row_count=counts.checked,
        failed_rows=counts.failed,
        failed_percent=round(percent, 6),
        observed=f"{counts.failed:,} of {counts.checked:,} rows ({percent:.4g} %) {check.expected}",
        expected=str(check.tolerance),
        value=float(counts.failed),
    )


def _judge_table(check: Check, counts: _Counts) -> Verdict:
    return Verdict(
        check=check,
        status=_status(check, is_good=not counts.failed),
        row_count=counts.checked,
        observed=counts.observed or "nothing",
        expected=check.expected,
    )


def _judge_value(check: Check, counts: _Counts, earlier: Earlier) -> Verdict:
    value = None if counts.observed is None else float(counts.observed)
    before = earlier(check.name, check.bounds.earlier_runs) if check.bounds.earlier_runs else ()
    is_good, expected = judge_value(value, check.bounds, before)
    return Verdict(
        check=check,
        status=_status(check, is_good=is_good),
        row_count=counts.checked,
        observed="no value" if value is None else f"{value:,.12g}",
        expected=expected,
        value=value,
    )


def _judge_columns(check: Check, counts: _Counts, columns: Columns) -> Verdict:
    broken = broken_contract(check.columns, columns(), allows_more=check.allows_more_columns)
    return Verdict(
        check=check,
        status=_status(check, is_good=not broken),
        row_count=counts.checked,
        observed="; ".join(broken) or "the columns of the contract",
        expected=check.expected,
    )


def _status(check: Check, *, is_good: bool) -> CheckStatus:
    if is_good:
        return CheckStatus.PASSED
    return CheckStatus.WARNED if check.severity is Severity.WARN else CheckStatus.FAILED
