"""Verdicts: thresholds, severities, bounds, earlier runs and contracts, by counts alone."""

from collections.abc import Sequence
from typing import Any

import pytest

from common.quality.checks import Bounds, Check, ColumnContract, Judgement, Severity, Tolerance
from common.quality.contracts import FoundColumn
from common.quality.verdicts import CheckStatus, Verdict, judge


def nothing_earlier(_check: str, _most: int) -> Sequence[float]:
    pytest.fail("no check asks for earlier runs")


def no_columns() -> Sequence[FoundColumn]:
    pytest.fail("no check asks for columns")


def verdict(
    check: Check, earlier: Any = nothing_earlier, columns: Any = no_columns, **counts: Any
) -> Verdict:
    row = {"row_count": 200} | {f"{name}_0": value for name, value in counts.items()}
    (found,) = judge([check], row, earlier, columns)
    return found


def of_rows(**changes: Any) -> Check:
    fields: dict[str, Any] = {"name": "c", "type": "not_null", "expected": "have no id"}
    return Check(**fields | changes)


@pytest.mark.parametrize(
    ("tolerance", "failed", "status"),
    [
        (Tolerance(), 0, CheckStatus.PASSED),
        (Tolerance(), 1, CheckStatus.FAILED),
        (Tolerance(max_failed_rows=2), 2, CheckStatus.PASSED),
        (Tolerance(max_failed_rows=2), 3, CheckStatus.FAILED),
        (Tolerance(max_failed_percent=1), 2, CheckStatus.PASSED),
        (Tolerance(max_failed_percent=1), 3, CheckStatus.FAILED),
        (Tolerance(max_failed_rows=1, max_failed_percent=50), 2, CheckStatus.FAILED),
        (Tolerance(max_failed_rows=100, max_failed_percent=1), 3, CheckStatus.FAILED),
        (Tolerance(max_failed_rows=0), 1, CheckStatus.FAILED),
    ],
)
def test_rows_that_break_a_check_are_held_against_its_limits(
    tolerance: Tolerance, failed: int, status: CheckStatus
) -> None:
    found = verdict(of_rows(tolerance=tolerance), checked=200, failed=failed)
    assert (found.status, found.failed_rows, found.row_count) == (status, failed, 200)


def test_a_warning_is_no_failure() -> None:
    found = verdict(of_rows(severity=Severity.WARN), checked=200, failed=3)
    assert found.status is CheckStatus.WARNED
    assert found.observed == "3 of 200 rows (1.5 %) have no id"
    assert found.expected == "no row"


def test_the_rows_of_a_query_are_held_against_all_rows_of_the_table() -> None:
    found = verdict(of_rows(tolerance=Tolerance(max_failed_percent=1)), checked=None, failed=2)
    assert (found.status, found.failed_percent) == (CheckStatus.PASSED, 1.0)


def test_failing_rows_of_an_empty_table_are_all_of_it() -> None:
    found = verdict(of_rows(tolerance=Tolerance(max_failed_percent=99)), checked=0, failed=1)
    assert found.status is CheckStatus.FAILED


def of_value(**bounds: Any) -> Check:
    return Check(name="c", type="row_count", judgement=Judgement.VALUE, bounds=Bounds(**bounds))


@pytest.mark.parametrize(
    ("bounds", "value", "status"),
    [
        ({"minimum": 1}, "1", CheckStatus.PASSED),
        ({"minimum": 1}, "0", CheckStatus.FAILED),
        ({"maximum": 5}, "5", CheckStatus.PASSED),
        ({"maximum": 5}, "6", CheckStatus.FAILED),
        ({"minimum": 1}, None, CheckStatus.FAILED),
        ({"minimum": 1}, "nan", CheckStatus.FAILED),
    ],
)
def test_a_value_is_held_against_bounds(bounds: Any, value: str | None, status: CheckStatus) -> None:
    assert verdict(of_value(**bounds), checked=9, observed=value).status is status


@pytest.mark.parametrize(
    ("earlier", "value", "status"),
    [
        ([], "1000", CheckStatus.PASSED),
        ([100, 100], "1000", CheckStatus.PASSED),
        ([100, 104, 96], "150", CheckStatus.PASSED),
        ([100, 104, 96], "151", CheckStatus.FAILED),
        ([100, 104, 96], "49", CheckStatus.FAILED),
        ([100, 104, 96, 9000, 9000], "110", CheckStatus.PASSED),
    ],
)
def test_a_count_is_held_against_the_median_of_earlier_runs(
    earlier: list[float], value: str, status: CheckStatus
) -> None:
    asked: list[tuple[str, int]] = []

    def remembered(check: str, most: int) -> Sequence[float]:
        asked.append((check, most))
        return earlier

    check = of_value(max_change_percent=50, earlier_runs=7)
    assert verdict(check, remembered, observed=value).status is status
    assert asked == [("c", 7)]


@pytest.mark.parametrize(
    ("value", "status"),
    [("10.2", CheckStatus.PASSED), ("13", CheckStatus.FAILED), ("7", CheckStatus.FAILED)],
)
def test_an_outlier_among_earlier_runs_widens_no_anomaly(value: str, status: CheckStatus) -> None:
    check = of_value(max_deviations=3, earlier_runs=10)
    assert verdict(check, lambda _, __: [10, 10.2, 9.8, 10.1, 9.9, 500], observed=value).status is status


def test_earlier_runs_that_were_all_the_same_do_not_forbid_any_other_value() -> None:
    check = of_value(max_deviations=3, earlier_runs=10)
    assert verdict(check, lambda _, __: [100] * 9, observed="102").status is CheckStatus.PASSED


COLUMNS = [
    FoundColumn(name="Id", type="INTEGER", mode="REQUIRED"),
    FoundColumn(name="s", type="STRING", mode="NULLABLE"),
]


@pytest.mark.parametrize(
    ("columns", "more", "observed"),
    [
        ([ColumnContract(name="id", type="INT64", mode="REQUIRED")], True, ""),
        ([ColumnContract(name="id")], False, "s is not in it"),
        ([ColumnContract(name="id", type="STRING")], True, "id is INT64, not STRING"),
        ([ColumnContract(name="s", mode="REPEATED")], True, "s is NULLABLE, not REPEATED"),
        ([ColumnContract(name="t"), ColumnContract(name="u")], True, "t is missing; u is missing"),
    ],
)
def test_a_table_is_held_against_the_columns_of_a_contract(
    columns: list[ColumnContract], more: bool, observed: str
) -> None:
    check = Check(
        name="c",
        type="schema",
        judgement=Judgement.COLUMNS,
        columns=tuple(columns),
        allows_more_columns=more,
    )
    found = verdict(check, columns=lambda: COLUMNS)
    assert (found.status is CheckStatus.FAILED) is bool(observed)
    assert found.observed == (observed or "the columns of the contract")
