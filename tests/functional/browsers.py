"""A real browser on the console: Chromium, driven by Playwright; what it asked for, what was refused."""

import os
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, Playwright, sync_playwright
from werkzeug.serving import make_server
from werkzeug.wrappers import Request

from tests.functional.consoles import console_of
from tests.functional.site import Site

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WIDE, PHONE = (1200, 900), (360, 740)
PATIENCE_MS = 60_000
"""For a machine that has much else to do."""
MISSING = "the console in a browser is not checked: there is no Chromium here"
VIOLATIONS = """
  window.refusedByPolicy = [];
  document.addEventListener("securitypolicyviolation",
    (event) => window.refusedByPolicy.push(event.violatedDirective + " " + event.blockedURI));
"""
LOADED = """
  ["navigation", "resource"].flatMap((type) => performance.getEntriesByType(type))
    .map((entry) => [entry.name, entry.decodedBodySize])
"""


@dataclass(kw_only=True)
class Window:
    """A browser's page with what it has loaded."""

    page: Page
    url: str
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.add_init_script(VIOLATIONS)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("dialog", lambda dialog: self.errors.append(f"a dialog: {dialog.message}"))

    def open(self, path: str) -> Page:
        """Open a page of the console."""
        self.page.goto(f"{self.url}{path}")
        return self.page

    def sign_in(self, key: str) -> Page:
        """Sign in as people do."""
        self.open("/")
        self.page.get_by_label("API key").fill(key)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.get_by_role("button", name="Sign out").wait_for()
        return self.page

    def refused(self) -> list[str]:
        """List what the page's policy has refused, and the errors of its script."""
        return [*self.page.evaluate("window.refusedByPolicy"), *self.errors]

    def loaded(self) -> list[tuple[str, int]]:
        """Return the address and the bytes of the page, and of all that it loaded.

        The page itself tells: of what an earlier one asked for, answers may still come in.
        """
        return [(url, size) for url, size in self.page.evaluate(LOADED)]

    def is_wider_than_its_window(self) -> bool:
        """Tell whether the page as a whole has to be scrolled sideways."""
        return bool(
            self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        )


@dataclass(frozen=True, kw_only=True)
class Chromium:
    """One browser, and the console that it looks at."""

    browser: Browser
    url: str

    @contextmanager
    def window(self, size: tuple[int, int] = WIDE, **options: Any) -> Iterator[Window]:
        """Open a window that knows nothing of any other."""
        context: BrowserContext = self.browser.new_context(
            viewport={"width": size[0], "height": size[1]}, **options
        )
        try:
            yield Window(page=context.new_page(), url=self.url)
        finally:
            context.close()


def executable(playwright: Playwright) -> str | None:
    """Find the system's Chromium, or the one that Playwright has installed; None where there is neither."""
    own = playwright.chromium.executable_path
    found = [path for name in NAMES if (path := shutil.which(name))]
    return next(iter(found), own if Path(own).exists() else None)


def launched(playwright: Playwright, path: str) -> Browser:
    """Start the browser, without a screen."""
    # Chromium's sandbox does not start for root.
    is_root = os.geteuid() == 0
    return playwright.chromium.launch(
        executable_path=path, chromium_sandbox=not is_root, args=["--disable-gpu"]
    )


@contextmanager
def chromium_on(site: Site) -> Iterator[Chromium]:
    """Start the browser on a site's console; without one, skip the test, or fail it where one is required."""
    with sync_playwright() as playwright:
        path = executable(playwright)
        if path is None:
            if os.environ.get("REQUIRE_BROWSER", "") not in {"", "0"}:
                pytest.fail(f"{MISSING}, and REQUIRE_BROWSER asks for one")
            pytest.skip(MISSING)
        with launched(playwright, path) as browser, served(site) as url:
            yield Chromium(browser=browser, url=url)


@contextmanager
def served(site: Site) -> Iterator[str]:
    """Serve a site's console on a free port, and return its address."""
    console = console_of(site)

    @Request.application
    def application(request: Request) -> Any:
        return console.answer(request)

    server = make_server("127.0.0.1", 0, application, threaded=True)
    thread = threading.Thread(target=server.serve_forever, name="console", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def starts() -> bool:
    """Tell whether there is a browser that starts."""
    with sync_playwright() as playwright:
        path = executable(playwright)
        try:
            if path:
                launched(playwright, path).close()
        except Error:
            return False
        return path is not None


if __name__ == "__main__":
    sys.exit(0 if starts() else 1)
