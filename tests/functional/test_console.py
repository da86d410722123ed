"""The console: what a tenant and an operator see and do in a browser, over the functions' own API."""

import html
import re
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import quote
from uuid import uuid4

import pytest
import requests

from common.http.edge import WrongKeys
from common.tenants.authentication import digest_of
from common.tenants.onboarding_limits import OnboardingMode
from tests.functional.consoles import SECRET, Browser, FunctionsInProcess, console_of, signed_in
from tests.functional.environment import ADMIN_KEY
from tests.functional.site import Site, Tenant, a_pipeline_file

FILE = """pipeline: {id: daily, name: "Daily <script>alert(1)</script>"}
steps:
  - {id: one, ps_type: bq_etl.query, config: {source_query: "SELECT 1 AS n", target_table: ones}}
"""


def file_of(config_id: str) -> str:
    """Write the same file under another ID, with a table of its own."""
    return FILE.replace("id: daily", f"id: {config_id}").replace("ones", f"{config_id}_ones")


@pytest.fixture(scope="module")
def operator(site: Site) -> Browser:
    return signed_in(site, ADMIN_KEY)


@pytest.fixture(scope="module")
def other_tenant(site: Site, tenant_ids: Iterator[str]) -> Tenant:
    """Onboard another tenant, with one pipeline."""
    other = site.onboard(next(tenant_ids))
    assert other.upload("secret_plans", file_of("secret_plans")).status_code == 201
    return other


@pytest.fixture(scope="module")
def others_run(other_tenant: Tenant) -> str:
    """Let the other tenant begin its one run, and return its ID."""
    return other_tenant.run("secret_plans")


def test_a_pipeline_is_uploaded_run_and_followed_to_its_end(browser: Browser, site: Site) -> None:
    browser.get("/console/new")
    page = browser.send("/console/new", {"config_id": "followed", "pipeline_yaml": file_of("followed")}).text
    assert "<h1>followed</h1>" in page
    assert "Daily &lt;script&gt;alert(1)&lt;/script&gt;" in page
    page = browser.send("/console/pipelines/followed/run").text
    assert "PENDING" in page
    assert 'data-live="2"' in page
    run = browser.page.request.path  # type: ignore[union-attr]
    site.drain()
    page = browser.get(run)
    assert "data-live" not in page
    assert page.count("state-COMPLETED") >= 3
    assert re.search(r"<code>cvg-step-[^<]+</code>", page)
    row = browser.get("/console/pipelines").partition('href="/console/pipelines/followed"')[2]
    assert "COMPLETED" in row.partition("</tr>")[0]
    assert run.rpartition("/")[2] in browser.get("/console/runs?status=COMPLETED")


ASKED = {
    "company_name": "Acme <b>Ltd</b>",
    "admin_email": "a@acme.example",
    "subscription_plan": "PROFESSIONAL",
}


def test_who_has_no_key_is_onboarded_signed_in_and_sees_its_limits_first(
    site: Site, tenant_ids: Iterator[str], operator: Browser
) -> None:
    browser = Browser(console_of(site))
    asked = ASKED | {"tenant_id": next(tenant_ids)}
    assert 'href="/console/onboard"' in browser.get("/console/sign-in")
    browser.get("/console/onboard")
    page = browser.send("/console/onboard", {**asked, "what": "check"}).text
    assert "Ready for onboarding" in page
    assert 'value="Acme &lt;b&gt;Ltd&lt;/b&gt;"' in page
    page = browser.send("/console/onboard", asked).text
    key = re.search(r'<code class="secret">([^<]+)</code>', page)
    assert key
    overview = browser.get("/console/")
    for shown in (f"<h1>{asked['tenant_id']}</h1>", "Limits of PROFESSIONAL", "No runs.", "Begin here"):
        assert shown in overview
    assert key[1] not in overview
    page = browser.get("/console/new?example=yes")
    assert 'value="daily_sales"' in page
    text = html.unescape(page.partition("<textarea")[2].partition(">")[2].partition("</textarea>")[0])
    saved = browser.send("/console/new", {"pipeline_yaml": text})
    assert "<h1>daily_sales</h1>" in saved.text
    assert "Begin here" not in browser.get("/console/")
    for page in ("/console/operator/tenants", f"/console/operator/tenants/{asked['tenant_id']}"):
        assert "Acme &lt;b&gt;Ltd&lt;/b&gt;" in operator.get(page)


def test_an_onboarding_that_is_refused_keeps_what_was_written(site: Site, shared_tenant: Tenant) -> None:
    stranger = Browser(console_of(site))
    stranger.get("/console/onboard")
    answer = stranger.send("/console/onboard", ASKED | {"tenant_id": shared_tenant.tenant_id})
    assert answer.status_code == 409
    assert "Not onboarded" in answer.text
    assert f'value="{shared_tenant.tenant_id}"' in answer.text
    answer = stranger.send("/console/onboard", ASKED | {"tenant_id": "No Good"})
    assert answer.status_code == 422
    assert 'class="secret"' not in answer.text
    assert "Sign in" in stranger.get("/console/")


def test_wrong_onboarding_tokens_are_counted_as_wrong_keys_are(
    site: Site, tenant_ids: Iterator[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from common import wiring  # noqa: PLC0415 - reads the environment, which is set by now

    policy = wiring.tenant_services().onboarding_policy
    monkeypatch.setattr(policy, "_mode", OnboardingMode.TOKEN)
    monkeypatch.setattr(policy, "_digests", (digest_of("the-right-token"),))
    browser = Browser(console_of(site, WrongKeys(max_tries=2)))
    browser.get("/console/onboard")
    asked = ASKED | {"tenant_id": next(tenant_ids)}
    assert browser.send("/console/onboard", asked).status_code == 401
    for _ in range(2):
        answer = browser.send("/console/onboard", asked | {"token": "a-wrong-token"})
        assert answer.status_code == 403
        assert "a-wrong-token" not in answer.text
    assert browser.client.get("/console/onboard").status_code == 429


def test_who_is_signed_in_is_not_onboarded_again(browser: Browser) -> None:
    assert "Limits of" in browser.get("/console/onboard")


def test_a_form_that_is_sent_twice_starts_one_run(browser: Browser, shared_tenant: Tenant) -> None:
    shared_tenant.upload("twice", file_of("twice"))
    browser.get("/console/pipelines/twice")
    shown = browser.page
    first = browser.send("/console/pipelines/twice/run").request.path
    browser.page = shown
    assert browser.send("/console/pipelines/twice/run").request.path == first


def test_the_violations_of_a_file_are_told_beside_it_and_nothing_of_it_is_lost(browser: Browser) -> None:
    wrong = FILE.replace("target_table: ones", "target_table: 'a b'").replace(
        "bq_etl.query", "bq_etl.nothing"
    )
    browser.get("/console/new")
    answer = browser.send("/console/new", {"config_id": "daily", "pipeline_yaml": wrong})
    assert answer.status_code == 422
    assert "Not saved" in answer.text
    assert "step one" in answer.text
    assert "&lt;script&gt;" in answer.text
    assert "bq_etl.nothing" in answer.text
    in_place = re.search(r'<li value="3" class="at">(.*?)</li>', answer.text)
    assert in_place
    assert "bq_etl.nothing" in in_place[1]
    assert '<span class="rule">' in in_place[1]


def test_a_file_is_checked_and_quoted_without_being_saved(browser: Browser, shared_tenant: Tenant) -> None:
    browser.get("/console/new")
    asked = {"config_id": "unsaved", "pipeline_yaml": file_of("unsaved"), "what": "check"}
    page = browser.send("/console/new", asked).text
    assert "It breaks no rule; it is not saved yet." in page
    assert "What it would come to" in page
    assert "SELECT 1 AS n" in page
    answer = browser.send(
        "/console/new", asked | {"pipeline_yaml": file_of("unsaved").replace("bq_etl.query", "none")}
    )
    assert answer.status_code == 422
    assert shared_tenant.call("GET", "/api/v1/pipelines/configs/unsaved").status_code == 404


def test_a_failing_run_says_why_and_is_retried(browser: Browser, shared_tenant: Tenant, site: Site) -> None:
    shared_tenant.upload("failing", a_pipeline_file({"failing": "SELECT 1 / (SELECT 0) AS n"}))
    run_id = shared_tenant.run("failing")
    site.drain()
    page = browser.get(f"/console/runs/{run_id}")
    assert "FAILED" in page
    assert "division by zero" in page
    assert "SELECT 1 / (SELECT 0) AS n" in page
    page = browser.send(f"/console/runs/{run_id}/retry", {"version": "same"}).text
    assert f"/console/runs/{run_id}" in page
    assert "Makes up for" in page
    again = str(browser.page.request.path)  # type: ignore[union-attr]
    assert browser.send(f"{again}/cancel").status_code == 200
    site.drain()
    assert "CANCELLED" in browser.get(again)


def test_versions_are_shown_with_what_they_changed(browser: Browser, shared_tenant: Tenant) -> None:
    shared_tenant.upload("changed", file_of("changed"))
    shared_tenant.upload("changed", file_of("changed").replace("SELECT 1", "SELECT 2"))
    page = browser.get("/console/pipelines/changed")
    assert '<span class="removed">-' in page
    assert '<span class="added">+' in page
    assert "SELECT 1 AS n" in browser.get("/console/pipelines/changed?version=1")


def test_a_new_key_is_shown_once_and_a_session_is_dead_with_it(
    browser: Browser, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    from common.wiring import SERVICES  # noqa: PLC0415 - reads the environment, which is set by now

    # The minute is over in which instances remember a key.
    monkeypatch.setattr(SERVICES.authenticator._known, "lifetime", timedelta())
    browser.get("/console/keys")
    page = browser.send(
        "/console/keys", {"description": "for tests", "run": "yes", "expires_in_days": "3"}
    ).text
    secret = re.search(r'<code class="secret">([^<]+)</code>', page)
    assert secret
    with_it = signed_in(site, secret[1])
    page = browser.get("/console/keys")
    assert secret[1] not in page
    revoke = re.findall(r'action="(/console/keys/[^"]+/revoke)"', page)[-1]
    assert "revoked" in browser.send(revoke).text
    page = with_it.get("/console/pipelines")
    assert with_it.page is not None
    assert with_it.page.status_code == 401
    assert "no longer valid" in page
    assert "Sign in" in with_it.get("/console/pipelines")


def test_another_tenants_run_and_pipeline_are_not_there(browser: Browser, others_run: str) -> None:
    for there, nowhere in (
        (f"/console/runs/{others_run}", f"/console/runs/{uuid4()}"),
        ("/console/pipelines/secret_plans", "/console/pipelines/no_plans"),
    ):
        pages = []
        for path in (there, nowhere):
            page = browser.get(path)
            assert browser.page is not None
            assert browser.page.status_code == 404, path
            name = path.rpartition("/")[2]
            pages.append(re.sub(r"<code>[^<]+</code>", "", page).replace(name, "it"))
        assert pages[0] == pages[1]


def test_a_form_of_another_page_or_session_does_nothing(
    browser: Browser, shared_tenant: Tenant, site: Site
) -> None:
    shared_tenant.upload("guarded", file_of("guarded"))
    browser.get("/console/pipelines/guarded")
    run = "/console/pipelines/guarded/run"
    assert browser.send(run, {"form_token": "made-up"}).status_code == 403
    browser.get("/console/pipelines/guarded")
    assert browser.send(run, {}, Origin="https://evil.example").status_code == 403
    strange = Browser(console_of(site))
    strange.sign_in(shared_tenant.key)
    browser.page = strange.client.get("/console/pipelines/guarded")
    assert browser.send(run).status_code == 403
    history = shared_tenant.call("GET", "/api/v1/pipelines/history?pipeline_id=guarded")
    assert history.get_json()["runs"] == []


def test_nobody_sees_a_page_without_a_key(site: Site) -> None:
    browser = Browser(console_of(site))
    for path in ("/", "/console/", "/console/runs", "/console/operator/tenants"):
        assert "<h1>Sign in</h1>" in browser.get(path)


def test_a_tenant_has_no_operators_page_and_an_operator_no_tenants(
    browser: Browser, operator: Browser
) -> None:
    assert "Limits of" in browser.get("/console/operator/tenants")
    assert "<h1>Platform</h1>" in operator.get("/console/keys")


def test_wrong_keys_are_counted(site: Site) -> None:
    browser = Browser(console_of(site, WrongKeys(max_tries=2)))
    for key in ("wrong", "acme_api_0123456789abcdef"):
        answer = browser.sign_in(key)
        assert (answer.status_code, "admin key" in answer.text) == (403, False)
    assert browser.sign_in(ADMIN_KEY).status_code == 429


@pytest.mark.usefixtures("others_run")
def test_an_operator_sees_and_changes_tenants(operator: Browser, other_tenant: Tenant) -> None:
    tenant = other_tenant
    page = operator.get("/console/operator")
    assert "Dead letters today" in page
    assert "<td>SCALE</td>" in page
    tenants = operator.get("/console/operator/tenants")
    [row] = re.findall(rf"<tr><td><a [^>]+>{tenant.tenant_id}</a>.*?</tr>", tenants)
    assert '<td class="number">1</td><td class="number">0</td>' in row
    assert re.search(r'<td class="number">[0-9.]+ USD</td>', row)
    path = f"/console/operator/tenants/{tenant.tenant_id}"
    tenant.own("PUT", "/api/v1/tenants/budget", {"max_bytes_per_month": 2**40})
    assert "<dt>Budget of its own, a month</dt><dd>1.0 TiB</dd>" in operator.get(path)
    assert re.search(r"<dt>Cost</dt><dd>[0-9.]+ USD</dd>", operator.get(path))
    assert "<dd>SUSPENDED</dd>" in operator.send(path, {"status": "SUSPENDED"}).text
    page = operator.get("/console/operator/audit?tenant_id=" + quote(tenant.tenant_id))
    assert "onboard" in page


def test_pages_and_cookies_keep_strangers_out(browser: Browser, shared_tenant: Tenant) -> None:
    browser.get("/console/keys")
    assert browser.page is not None
    policy = browser.page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert browser.page.headers["Cache-Control"] == "no-store"
    assert shared_tenant.key not in browser.page.text
    answer = Browser(browser.console).client.get("/console/sign-in", base_url="https://console.example")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-convergence=")
    assert {"Secure", "HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    assert SECRET not in cookie


def test_browsers_are_told_to_come_by_https_alone_once_they_have(site: Site) -> None:
    client = Browser(console_of(site)).client
    secured = client.get("/console/sign-in", base_url="https://console.example")
    assert secured.headers["Strict-Transport-Security"].startswith("max-age=63072000")
    assert "Strict-Transport-Security" not in client.get("/console/sign-in").headers


def test_the_console_is_ready_when_the_api_is(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Browser(console_of(site)).client
    answer = client.get("/health")
    assert (answer.status_code, answer.get_json()) == (200, {"status": "ready", "parts": ["api"]})

    def is_not_there(*_: object, **__: object) -> None:
        raise requests.ConnectionError

    monkeypatch.setattr(FunctionsInProcess, "send", is_not_there)
    assert client.get("/health").status_code == 503


@pytest.mark.parametrize("path", ["/console/static/console.css", "/console/static/console.js"])
def test_what_pages_need_comes_from_the_console_itself(site: Site, path: str) -> None:
    answer = Browser(console_of(site)).client.get(path)
    assert answer.status_code == 200
    assert "http" not in answer.text.replace("http-equiv", "")


@pytest.mark.parametrize(
    "path", ["/console/static/../server.py", "/console/static/none.js", "/console/nothing"]
)
def test_what_is_not_there_is_a_page_too(site: Site, path: str) -> None:
    answer = Browser(console_of(site)).client.get(path)
    assert answer.status_code == 404
    assert "<!doctype html>" in answer.text
