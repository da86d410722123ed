"""Steps whose process dies before each request about them: the long form of `test_killed_steps`."""

import pytest

from tests.functional.site import Site
from tests.functional.test_killed_steps import CASES, Stand, die_before_requests, stand  # noqa: F401 - a fixture


@pytest.mark.parametrize("name", CASES)
def test_a_step_whose_process_dies_before_any_request_about_it_writes_once(
    site: Site,
    stand: Stand,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    die_before_requests(site, stand, monkeypatch, name, first=1, every=1)
