"""What a run costs, in exact numbers: the table of docs/exactly-once.md, counted at the clouds' doors."""

import pytest

from tests.functional.costs import Levels, cost_of_a_run
from tests.functional.promises import Promise
from tests.functional.site import Site, Tenant

SQL = "SELECT 1 AS n"
SHAPES = [({"a": SQL},), ({"a": SQL}, {"b": SQL}, {"c": SQL, "d": SQL})]
"""One level of one step, and more of each, of which there are not as many."""
JOB_SECONDS = 0.3
"""Long enough that each job is waited for."""


@pytest.mark.parametrize("levels", SHAPES, ids=lambda levels: "-".join(str(len(level)) for level in levels))
def test_a_run_costs_what_the_page_says(site: Site, shared_tenant: Tenant, levels: Levels) -> None:
    site.bigquery.latency.job_seconds = JOB_SECONDS
    try:
        counted = cost_of_a_run(site, shared_tenant, levels)
    finally:
        site.bigquery.latency.reset()
    assert [one for one in counted if not one.is_kept] == []
    assert len(counted) == 9


@pytest.mark.parametrize(
    ("how_many", "kept", "broken"),
    [
        ("1, at admission", {1}, {0, 2}),
        ("N", {3}, {2, 4}),
        ("3 or 4", {3, 4}, {2, 5}),
        ("at most 2L + 2", {0, 6}, {7}),
        ("4 + 2P", {14}, {13, 15}),
        ("1,000", {1000}, {1}),
    ],
)
def test_a_promise_is_kept_by_its_own_numbers_alone(how_many: str, kept: set[int], broken: set[int]) -> None:
    promise = Promise(what="jobs", how_many=how_many)
    sizes = {"L": 2, "N": 3, "P": 5}
    assert {count for count in kept | broken if promise.is_kept_by(count, sizes)} == kept


def test_a_promise_that_cannot_be_read_is_no_promise() -> None:
    with pytest.raises(ValueError, match="'a few' is no number"):
        Promise(what="jobs", how_many="a few").is_kept_by(1, {})
