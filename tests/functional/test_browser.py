"""The console in a real browser: people's ways through it, its policy, its weight, and who can read it.

`check_browser` goes other ways.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.functional.browsers import PATIENCE_MS, PHONE, WIDE, Chromium, Window, chromium_on
from tests.functional.environment import ADMIN_KEY
from tests.functional.site import Site, Tenant, a_pipeline_file

MAX_BYTES = 100_000
HOSTILE = "\"><script>alert('hostile')</script><img src=x onerror=alert(1)>\u202eevil\u200b"
LONG = "x" * 10_000
AXE = Axe()
LOOK = "rules => axe.run(rules).then(found => found.violations)"
RULES = {"resultTypes": ["violations"]}
# The second look is at what the first could not see: other colours, another width.
OF_COLOUR_AND_WIDTH = {"runOnly": ["color-contrast", "target-size", "scrollable-region-focusable"]}
WRITTEN = "Array.from(document.querySelectorAll('main textarea'), (area) => area.value).join()"
MARKUP_OF_OTHERS = "document.querySelectorAll('main script, main img').length"
SHOWN = "<script>alert('hostile')</script><img src=x onerror=alert(1)>\\u202eevil\\u200b"

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def chromium(site: Site) -> Iterator[Chromium]:
    with chromium_on(site) as started:
        yield started


@pytest.fixture
def window(chromium: Chromium) -> Iterator[Window]:
    with chromium.window() as opened:
        yield opened


@pytest.fixture(scope="module")
def lived_in(site: Site, tenant_of_module: Tenant) -> "LivedIn":
    """Give the tenant of the module something on each of its pages."""
    site.drain()
    return LivedIn(tenant_of_module)


class LivedIn:
    """A tenant with two versions of a pipeline, a failed run and a backfill; hostile wherever it writes."""

    def __init__(self, tenant: Tenant) -> None:
        self.key = tenant.key
        self.tenant_id = tenant.tenant_id
        # What is invisible, SQL writes as escapes.
        written = HOSTILE.encode("ascii", "backslashreplace").decode()
        sql = f"SELECT ERROR('''{written} {LONG}''') AS n"
        for self.text in (hostile_file(sql), hostile_file(f"{sql} -- </textarea><script>alert(2)</script>")):
            saved = tenant.upload("hostile", self.text)
            assert saved.status_code == 201, saved.text
        self.failed = tenant.run("hostile", {"trigger_by": HOSTILE[:60], "parameters": {"word": HOSTILE}})
        fine = f"SELECT ${{date}} AS d, '''{written} {LONG}''' AS word, STRUCT([1, 2] AS numbers) AS nested"
        tenant.upload("fine", a_pipeline_file({"one": fine}))
        asked = {"start": "2024-01-01", "end": "2024-01-02", "step": "day"}
        begun = tenant.call("POST", "/api/v1/pipelines/backfill/fine", asked)
        assert begun.status_code in {200, 202}, begun.text
        self.backfill = begun.get_json()["backfill_id"]
        tenant.site.drain()
        tenant.own("POST", "/api/v1/tenants/keys", {"description": HOSTILE})
        tenant.own("PUT", "/api/v1/tenants/budget", {"max_bytes_per_month": 2**50, "max_cost_per_month": 9e6})

    @property
    def pages(self) -> dict[str, str]:
        """The tenant's pages, by name."""
        return {
            "overview": "/console/",
            "pipelines": "/console/pipelines",
            "pipeline": "/console/pipelines/hostile",
            "edit": "/console/pipelines/hostile/edit",
            "backfill form": "/console/pipelines/hostile/backfill",
            "runs": "/console/runs",
            "run": f"/console/runs/{self.failed}",
            "backfill": f"/console/backfills/{self.backfill}",
            "tables": "/console/tables",
            "table": "/console/tables/one",
            "checked table": "/console/tables/checked",
            "quality": "/console/quality",
            "usage": "/console/usage",
            "keys": "/console/keys",
            "credentials": "/console/credentials",
            "problem": "/console/nothing",
        }


OPERATORS = ("/console/operator", "/console/operator/tenants", "/console/operator/audit")


def hostile_file(sql: str) -> str:
    """Write a pipeline file whose every text is hostile: a step fails, the other's check warns."""
    step = {"id": "one", "ps_type": "bq_etl.query", "description": HOSTILE}
    config = {"source_query": sql, "target_table": "one"}
    return json.dumps(
        {
            "pipeline": {"id": "hostile", "name": HOSTILE, "description": f"{HOSTILE} {LONG[:900]}"},
            "parameters": {"word": {"type": "STRING", "description": HOSTILE, "allowed": [HOSTILE, "b"]}},
            "steps": [{**step, "config": config}, checked_step()],
        }
    )


def checked_step() -> dict[str, Any]:
    """Write a step that checks hostile words, and finds them to be none that it knows."""
    written = HOSTILE.encode("ascii", "backslashreplace").decode()
    check = {"type": "expression", "name": "known_words", "expression": "word = 'known'", "severity": "warn"}
    return {
        "id": "checked",
        "ps_type": "bq_etl.query",
        "config": {"source_query": f"SELECT '''{written}''' AS word", "target_table": "checked"},
        "checks": [check | {"description": HOSTILE}, {"type": "row_count", "min": 1}],
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What is seen of a page, wide and light, then on a phone and dark."""

    refused: list[str]
    loaded: list[tuple[str, int]]
    bars: list[str]
    """What keeps people from reading it."""
    text: str
    written: str
    """What stands in its large fields."""
    markup_of_others: int


@pytest.fixture(scope="module")
def looks(chromium: Chromium, lived_in: LivedIn) -> Mapping[str, Look]:
    """Look once at each page of all, of a tenant and of operators."""
    with chromium.window() as window:
        of_all = {"sign in": "/", "onboard": "/console/onboard"}
        found = {name: _look(window, path) for name, path in of_all.items()}
        window.sign_in(lived_in.key)
        found |= {name: _look(window, path) for name, path in lived_in.pages.items()}
        window.page.context.clear_cookies()
        window.sign_in(ADMIN_KEY)
        return found | {path: _look(window, path) for path in OPERATORS}


def test_from_no_key_over_a_fault_that_is_mended_to_a_first_run_that_is_followed_live_to_its_end(
    window: Window, site: Site, tenant_ids: Iterator[str]
) -> None:
    tenant_id = next(tenant_ids)
    page = window.open("/")
    page.get_by_role("link", name="Onboard a tenant").click()
    page.get_by_label("Tenant ID").fill(tenant_id)
    page.get_by_label("Company").fill("Acme")
    page.get_by_label("Administrator's e-mail").fill("a@acme.example")
    page.get_by_role("button", name="Check only").click()
    expect(page.get_by_role("status")).to_contain_text("Ready for onboarding")
    page.get_by_role("button", name="Onboard", exact=True).click()
    key = page.locator("code.secret").inner_text()
    page.get_by_role("link", name="Write the first pipeline").click()
    example = page.get_by_label("Pipeline file (YAML)").input_value()
    page.get_by_label("Pipeline file (YAML)").fill(example.replace("bq_etl.query", "bq_etl.nothing"))
    page.get_by_role("button", name="Save").click()
    expect(page.locator("li.at .rule").first).to_contain_text("is no step type")
    page.get_by_label("Pipeline file (YAML)").fill(example)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("daily_sales")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator("main[data-live]")).to_be_attached()
    page.evaluate("window.isTheSamePage = true")
    site.drain()
    expect(page.locator("h1 .state")).to_have_text("COMPLETED")
    expect(page.locator("main[data-live]")).not_to_be_attached()
    assert page.evaluate("window.isTheSamePage"), "the page was loaded anew, not followed"
    page.get_by_role("button", name="Sign out").click()
    window.sign_in(key)
    expect(page.get_by_role("heading", level=1)).to_have_text(tenant_id)
    assert window.refused() == []


def test_every_page_keeps_the_policy(looks: Mapping[str, Look], chromium: Chromium) -> None:
    assert {name: look.refused for name, look in looks.items() if look.refused} == {}
    for name, look in looks.items():
        assert {urlsplit(url).netloc for url, _ in look.loaded} == {urlsplit(chromium.url).netloc}, name


def test_every_page_is_light(looks: Mapping[str, Look]) -> None:
    weights = {name: sum(size for _, size in look.loaded) for name, look in looks.items()}
    assert {name: weight for name, weight in weights.items() if not 0 < weight <= MAX_BYTES} == {}


def test_every_page_can_be_read_by_all(looks: Mapping[str, Look]) -> None:
    assert {name: look.bars for name, look in looks.items() if look.bars} == {}


def test_what_strangers_write_is_shown_as_text(looks: Mapping[str, Look]) -> None:
    for name in ("pipeline", "run", "table", "keys", "checked table"):
        assert SHOWN in looks[name].text, name
    for name, look in looks.items():
        assert "\u202e" not in look.text, name
        assert look.markup_of_others == 0, name
    assert HOSTILE in looks["edit"].written.encode().decode("unicode-escape")


def test_the_keyboard_alone_signs_in_and_finds_its_way(window: Window, lived_in: LivedIn) -> None:
    page = window.open("/")
    expect(page.get_by_label("API key")).to_be_focused()
    page.keyboard.type(lived_in.key)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(lived_in.tenant_id)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    expect(page.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_a_run_is_started_without_a_script(chromium: Chromium, lived_in: LivedIn) -> None:
    with chromium.window(java_script_enabled=False) as window:
        page = window.sign_in(lived_in.key)
        window.open("/console/pipelines/fine")
        page.get_by_role("button", name="Run", exact=True).click()
        expect(page.locator("h1 .state")).to_have_text("PENDING")
        assert page.locator("noscript").inner_html().count("http-equiv") == 1


def _look(window: Window, path: str) -> Look:
    page = window.page
    page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
    page.emulate_media(color_scheme="light")
    window.open(path)
    refused, loaded = window.refused(), window.loaded()
    text, written = page.locator("main").inner_text(), page.evaluate(WRITTEN)
    markup_of_others = page.evaluate(MARKUP_OF_OTHERS)
    page.evaluate(AXE.axe_script)
    bars = [f"wide and light: {bar}" for bar in _bars(window, RULES)]
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    page.emulate_media(color_scheme="dark")
    bars += [f"on a phone and dark: {bar}" for bar in _bars(window, RULES | OF_COLOUR_AND_WIDTH)]
    return Look(
        refused=refused,
        loaded=loaded,
        bars=bars,
        text=text,
        written=written,
        markup_of_others=markup_of_others,
    )


def _bars(window: Window, rules: Mapping[str, Any]) -> Iterator[str]:
    """Say what bars people from reading a page as it is shown now."""
    if window.is_wider_than_its_window():
        yield "is wider than its window"
    for violation in window.page.evaluate(LOOK, dict(rules)):
        if violation["impact"] in {"serious", "critical"}:
            yield f"{violation['id']}: {violation['nodes'][0]['html'][:200]}"
