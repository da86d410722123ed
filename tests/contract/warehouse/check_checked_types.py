"""Checked steps whose process dies at each of its calls: the long form of `test_checked_types`."""

import pytest

from tests.contract.warehouse.checked_runs import CheckedRuns
from tests.contract.warehouse.test_checked_types import MORTALS, POINTS, die_at_calls, runs  # noqa: F401 - a fixture


@pytest.mark.parametrize(("which", "is_good"), MORTALS)
def test_a_process_may_die_at_any_call_and_rows_are_published_once(
    runs: CheckedRuns,  # noqa: F811
    which: str,
    is_good: bool,
) -> None:
    die_at_calls(runs, which, POINTS, is_good=is_good)
