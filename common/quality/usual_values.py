"""Values held against bounds, and against those of earlier runs: their median, and their spread around it."""

from collections.abc import Sequence
from math import isnan
from statistics import median

from common.quality.checks import MIN_EARLIER_VALUES, Bounds

TO_STANDARD_DEVIATIONS = 1.4826
"""The median distance from the median, of normal values, times this is their standard deviation."""
MIN_SPREAD = 0.01
"""The least spread, in parts of the median: values that were all the same must not forbid all others."""


def judge_value(value: float | None, bounds: Bounds, earlier: Sequence[float]) -> tuple[bool, str]:
    """Tell whether a value is within bounds, and say these in words."""
    limits = [(bounds.minimum, bounds.maximum, _span(bounds.minimum, bounds.maximum))]
    if bounds.earlier_runs:
        limits.append(_usual(bounds, earlier))
    expected = ", and ".join(words for _, _, words in limits if words)
    if value is None or isnan(value):
        return False, expected
    return all(_is_between(value, low, high) for low, high, _ in limits), expected


def _usual(bounds: Bounds, earlier: Sequence[float]) -> tuple[float | None, float | None, str]:
    if len(earlier) < MIN_EARLIER_VALUES:
        few = f"any value until {MIN_EARLIER_VALUES} earlier runs have one ({len(earlier)} so far)"
        return None, None, few
    middle = median(earlier)
    reach = [
        *([abs(middle) * bounds.max_change_percent / 100] if bounds.max_change_percent is not None else []),
        *([spread(earlier) * bounds.max_deviations] if bounds.max_deviations is not None else []),
    ]
    low, high = middle - min(reach), middle + min(reach)
    return low, high, f"{_span(low, high)} by the median of {len(earlier)} earlier runs, {middle:,.6g}"


def spread(values: Sequence[float]) -> float:
    """Return how far values are from their median, as a standard deviation that outliers do not widen."""
    middle = median(values)
    distance = median(abs(value - middle) for value in values)
    return max(TO_STANDARD_DEVIATIONS * distance, MIN_SPREAD * abs(middle))


def _is_between(value: float, low: float | None, high: float | None) -> bool:
    return (low is None or low <= value) and (high is None or value <= high)


def _span(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f"{low:,.12g} to {high:,.12g}"
    if low is not None:
        return f"at least {low:,.12g}"
    return f"at most {high:,.12g}" if high is not None else ""
