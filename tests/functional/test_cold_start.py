"""What a new instance loads stays within its budget (`tests/bench/cold_start.json`)."""

from collections import Counter
from functools import cache

import pytest

from tests.bench.cold_start import PARTS, ROOT, modules_of, read_budget

SLACK = 1.25
"""A budget that is further above what is loaded has been forgotten."""


@cache
def loaded(function: str) -> Counter[str]:
    """Start one instance of each function, and count what it loads."""
    return modules_of(function)


@pytest.mark.parametrize("function", PARTS)
def test_a_function_loads_no_more_modules_than_its_budget_has(function: str) -> None:
    counted, budget = loaded(function), read_budget()[function]
    assert counted.total() <= budget, f"{counted.total()} modules: {counted.most_common(20)}"
    assert counted.total() * SLACK >= budget


def test_each_function_has_a_budget() -> None:
    functions = {path.parent.name for path in (ROOT / "functions").glob("*/main.py")}
    assert functions == PARTS.keys() == read_budget().keys()


def test_what_is_not_deployed_is_not_loaded() -> None:
    assert {"duckdb", "numpy", "pyarrow", "rich"}.isdisjoint(loaded("run_level"))
