"""Checked steps that die at each call, and publish in each way: `test_checked_types` in full."""

from typing import TYPE_CHECKING

import pytest

from common.warehouse.bigquery import Central
from tests.contract.warehouse.checked_runs import CheckedRuns
from tests.contract.warehouse.test_checked_types import (
    MORTALS,
    OWN_WAYS,
    POINTS,
    TABLES,
    Published,
    a_tenant,
    die_at_calls,
    is_kept_back,
    is_published,
    is_published_with_a_warning,
    publish_all,
    runs,  # noqa: F401 - a fixture
)

if TYPE_CHECKING:
    from local.storage import StorageServer

OTHER_WAYS = [which for which in TABLES if which not in OWN_WAYS]


@pytest.mark.parametrize(("which", "is_good"), MORTALS)
def test_a_process_may_die_at_any_call_and_rows_are_published_once(
    runs: CheckedRuns,  # noqa: F811
    which: str,
    is_good: bool,
) -> None:
    die_at_calls(runs, which, POINTS, is_good=is_good)


@pytest.fixture(scope="module")
def published(bootstrapped: Central, storage: "StorageServer") -> dict[str, Published]:
    """Let steps publish in all ways that the short form leaves out, or keep rows back."""
    return publish_all(a_tenant(bootstrapped, storage), OTHER_WAYS)


@pytest.mark.parametrize("which", OTHER_WAYS)
def test_what_passes_is_published_in_all_ways(published: dict[str, Published], which: str) -> None:
    is_published(published["good"], TABLES[which])


@pytest.mark.parametrize("which", OTHER_WAYS)
def test_what_fails_is_not_published_in_any_way(published: dict[str, Published], which: str) -> None:
    is_kept_back(published["bad"], TABLES[which])


@pytest.mark.parametrize("which", OTHER_WAYS)
def test_what_is_warned_of_is_published_in_all_ways(published: dict[str, Published], which: str) -> None:
    is_published_with_a_warning(published["warned"], TABLES[which])
