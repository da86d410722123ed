"""Steps whose process dies before each request about them: the long form of `test_killed_steps`."""

import itertools

import pytest

from tests.functional.site import Site
from tests.functional.test_killed_steps import CASES, Stand, die_before, stand  # noqa: F401 - a fixture

MOST = 40
"""More requests than any step makes."""


@pytest.mark.parametrize("name", CASES)
def test_a_step_whose_process_dies_before_any_request_about_it_writes_once(
    site: Site,
    stand: Stand,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    runs = die_before(site, stand, monkeypatch, CASES[name], itertools.count(1))
    for death, asked in zip(range(1, MOST), runs, strict=False):
        if len(asked) < death:
            return
    pytest.fail("there is no end to its requests")
