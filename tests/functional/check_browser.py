"""More of people's ways through the console in a real browser: the long form of `test_browser`."""

from playwright.sync_api import expect

from tests.functional.browsers import Window
from tests.functional.site import Site
from tests.functional.test_browser import (
    SHOWN,
    LivedIn,
    chromium,  # noqa: F401 - a fixture
    lived_in,  # noqa: F401 - a fixture
    window,  # noqa: F401 - a fixture
)


def test_a_failing_run_is_read_retried_and_cancelled(
    window: Window,  # noqa: F811
    lived_in: LivedIn,  # noqa: F811
    site: Site,
) -> None:
    page = window.sign_in(lived_in.key)
    page.get_by_role("link", name=lived_in.failed[:8]).first.click()
    expect(page.locator("h1 .state")).to_have_text("FAILED")
    expect(page.locator("main")).to_contain_text(SHOWN)
    page.get_by_label("Retry by").select_option("same")
    page.get_by_role("button", name="Retry").click()
    expect(page.get_by_text("Makes up for")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    site.drain()
    expect(page.locator("h1 .state")).to_have_text("CANCELLED")


def test_a_backfill_is_quoted_started_and_followed(
    window: Window,  # noqa: F811
    lived_in: LivedIn,  # noqa: F811
    site: Site,
) -> None:
    page = window.sign_in(lived_in.key)
    window.open("/console/pipelines/fine")
    page.get_by_role("link", name="Backfill").click()
    page.get_by_label("From").fill("2024-02-01")
    page.get_by_label("To, not included").fill("2024-02-03")
    page.get_by_role("button", name="What would it be?").click()
    expect(page.get_by_role("table", name="February 2024")).to_be_visible()
    page.get_by_role("button", name="Start 2 runs").click()
    page.wait_for_url("**/console/backfills/*")
    site.drain()
    expect(page.locator(".month .state-COMPLETED")).to_have_count(2)
