"""The console: runs by declared parameters, backfills as calendars, SQL as it ran, tables, usage."""

import re
from collections.abc import Iterator

import pytest

from common.words import in_bytes
from tests.functional.consoles import Browser, signed_in
from tests.functional.site import Site, Tenant, a_pipeline_file

TYPED = """pipeline: {id: typed, name: Typed}
parameters:
  least: {type: INT64, required: true, description: "The smallest number"}
  region: {type: STRING, default: eu, allowed: [eu, us]}
  token: {type: STRING, secret: true}
steps:
  - id: one
    ps_type: bq_etl.query
    config:
      target_table: typed_rows
      source_query: |
        SELECT ${least} AS n, ${region} AS region, LENGTH(${token}) AS length,
        1 / (${least} - 7) AS share, ${date} AS d
"""


def typed(config_id: str) -> str:
    """Write the file of a typed pipeline under an ID, with a table of its own."""
    return TYPED.replace("id: typed", f"id: {config_id}").replace("typed_rows", f"{config_id}_rows")


@pytest.fixture(scope="module")
def daily_run(site: Site, tenant_of_module: Tenant) -> str:
    """Run the pipeline `daily` twice, three rows each time, and return the later run's ID."""
    query = "SELECT n FROM UNNEST([1, 2, 3]) AS n"
    assert tenant_of_module.upload("daily", a_pipeline_file({"daily_rows": query})).status_code == 201
    for _ in range(2):
        run_id = tenant_of_module.run("daily")
        site.drain()
    return run_id


def test_a_run_is_asked_for_by_the_parameters_that_its_pipeline_declares(
    browser: Browser, shared_tenant: Tenant, site: Site
) -> None:
    assert shared_tenant.upload("typed", TYPED).status_code == 201
    page = browser.get("/console/pipelines/typed")
    assert "The smallest number" in page
    assert "<option>us</option>" in page
    given = {"parameter.least": "many", "parameter.region": "us", "parameter.token": "very-secret"}
    answer = browser.send("/console/pipelines/typed/run", given)
    assert answer.status_code == 422
    assert "Not started" in answer.text
    assert 'value="many"' in answer.text
    assert "very-secret" not in answer.text
    given |= {"parameter.least": "5", "parameter.date": "2024-02-03"}
    page = browser.send("/console/pipelines/typed/run", given | {"what": "quote"}).text
    assert "What it would come to" in page
    assert 'value="2024-02-03"' in page
    history = shared_tenant.call("GET", "/api/v1/pipelines/history?pipeline_id=typed")
    assert history.get_json()["runs"] == []
    browser.send("/console/pipelines/typed/run", given)
    site.drain()
    [found] = site.rows(f"SELECT * FROM `{shared_tenant.tenant_id}.typed_rows`")
    assert (found["n"], found["region"], found["length"], str(found["d"])) == (5, "us", 11, "2024-02-03")


def test_a_backfill_is_quoted_before_it_starts_and_asked_for_again_with_its_secrets(
    browser: Browser, shared_tenant: Tenant, site: Site
) -> None:
    shared_tenant.upload("by_day", typed("by_day"))
    path = "/console/pipelines/by_day/backfill"
    browser.get(path)
    days = {"start": "2024-01-01", "end": "2024-01-03", "step": "day"}
    secret = {"parameter.token": "very-secret"}
    page = browser.send(f"{path}/plan", days | secret | {"parameter.least": "5"}).text
    assert "Start 2 runs" in page
    assert page.count('class="chosen"') == 2
    assert "very-secret" not in page
    page = browser.send(path, secret).text
    for shown in ("January 2024", "Backfill of", "Cancel"):
        assert shown in page
    site.drain()
    assert site.rows(f"SELECT COUNT(*) AS c FROM `{shared_tenant.tenant_id}.by_day_rows`") == [{"c": 1}]


def test_a_table_is_shown_with_its_rows_columns_and_the_steps_around_it(
    browser: Browser, shared_tenant: Tenant, site: Site
) -> None:
    shared_tenant.upload(
        "source", a_pipeline_file({"one": "SELECT 1 AS n, [2, 3] AS many, STRUCT('x' AS word) AS inner_"})
    )
    shared_tenant.upload("sink", a_pipeline_file({"two": "SELECT n FROM one"}))
    shared_tenant.run("source")
    site.drain()
    assert '<a href="/console/tables/one">one</a>' in browser.get("/console/tables")
    page = browser.get("/console/tables/one")
    assert "[2, 3]" in page
    assert ">word</td>" in page
    assert "writes it from" in page
    assert re.search(
        r'<a href="/console/pipelines/sink">sink</a></td><td>two</td><td>reads it for</td>', page
    )
    assert "no rows" not in page
    browser.get("/console/tables/on")
    assert browser.page is not None
    assert browser.page.status_code == 404


@pytest.mark.usefixtures("daily_run")
def test_usage_is_told_by_pipeline_and_day(browser: Browser) -> None:
    page = browser.get("/console/usage")
    assert '<a href="/console/pipelines/daily">daily</a>' in page
    assert "for a TiB in" in page or "no cost is told" in page


CHECKED = """pipeline: {id: orders, name: Orders}
parameters:
  least: {type: INT64, default: 1}
steps:
  - id: orders
    ps_type: bq_etl.query
    config:
      source_query: "SELECT n FROM UNNEST([1, 2, 3]) AS n"
      target_table: orders
    checks:
      - {type: expression, name: no_small_numbers, expression: "n >= ${least}"}
      - {type: row_count, min: 5, severity: warn}
      - {type: not_null, column: n}
"""


@pytest.fixture(scope="module")
def other_tenant(site: Site, tenant_ids: Iterator[str]) -> Tenant:
    """Onboard another tenant, with a pipeline of one step with checks."""
    other = site.onboard(next(tenant_ids))
    assert other.upload("orders", CHECKED).status_code == 201
    return other


@pytest.fixture(scope="module")
def checked_runs(site: Site, other_tenant: Tenant) -> tuple[str, str]:
    """Let the other tenant run its pipeline twice, the second time in vain; return the runs' IDs."""
    passed = other_tenant.run("orders")
    site.drain()
    failed = other_tenant.run("orders", {"parameters": {"least": 3}})
    site.drain()
    return passed, failed


@pytest.fixture(scope="module")
def others_browser(site: Site, other_tenant: Tenant) -> Browser:
    """Sign the other tenant in."""
    return signed_in(site, other_tenant.key)


def test_checks_are_shown_over_time_with_what_was_found_and_expected(
    others_browser: Browser, checked_runs: tuple[str, str]
) -> None:
    browser, (passed, failed) = others_browser, checked_runs
    page = browser.get("/console/quality")
    assert page.count("The last 2 results: ") == 3
    assert "The last 2 results: 1 PASSED, 1 FAILED" in page
    rows = re.findall(r'<a href="/console/quality\?check=([a-z_]+)&amp;table=orders">', page)
    assert rows[0] == "no_small_numbers"
    assert "2 of 3 rows" in page
    assert passed[:8] in page
    one = browser.get("/console/quality?check=not_null_n&status=PASSED")
    assert "no_small_numbers" not in one
    assert "No results." in browser.get("/console/quality?table=nothing")
    page = browser.get(f"/console/runs/{failed}")
    assert "<h2>Checks of orders</h2>" in page
    assert '<span class="state state-WARNED">WARNED</span></td><td>warn</td>' in page
    page = browser.get("/console/tables/orders")
    assert "The last 2 results: 1 PASSED, 1 FAILED" in page
    page = browser.get("/console/")
    assert re.search(r'state-FAILED">FAILED</span> <a [^>]+>no_small_numbers</a> of <a', page)
    assert "not_null_n" not in page


@pytest.mark.usefixtures("checked_runs")
def test_another_tenants_table_and_its_checks_are_not_there(browser: Browser) -> None:
    browser.get("/console/tables/orders")
    assert browser.page is not None
    assert browser.page.status_code == 404
    assert "No checks yet" in browser.get("/console/quality")
    assert "No step has checks yet" in browser.get("/console/")
    assert "No results." in browser.get("/console/quality?table=orders")


@pytest.mark.usefixtures("checked_runs")
def test_budgets_are_shown_with_what_is_spent_of_them(
    browser: Browser, others_browser: Browser, other_tenant: Tenant
) -> None:
    assert "budget of the" not in browser.get("/console/") + browser.get("/console/usage")
    budget = {"max_bytes_per_month": 2**40, "max_cost_per_month": 12.5, "max_bytes_per_run": 2**30}
    assert other_tenant.own("PUT", "/api/v1/tenants/budget", budget).status_code == 200
    spent = other_tenant.own("GET", "/api/v1/tenants/quota").get_json()["spending"]
    assert spent["used"] > 0
    for path in ("/console/", "/console/usage"):
        page = others_browser.get(path)
        assert f"{in_bytes(spent['used'])} of 1.0 TiB" in page
        assert f"{spent['cost_used']:.4f} USD of 12.50 USD" in page
        assert "1.0 GiB at the most" in page
        assert "budget of the tenant" in page


@pytest.mark.usefixtures("daily_run")
def test_a_pipelines_runs_are_drawn_by_their_time_and_their_rows(browser: Browser) -> None:
    page = browser.get("/console/pipelines/daily")
    assert "Durations of the last 2 runs" in page
    assert "Rows that the last 2 runs have written; the most were 3" in page


def test_a_steps_cost_and_its_job_at_google_are_shown(browser: Browser, daily_run: str) -> None:
    page = browser.get(f"/console/runs/{daily_run}")
    assert re.search(r'<a href="https://console\.cloud\.google\.com/bigquery\?[^"]+" rel="noreferrer">', page)
    assert re.search(r"<dt>Cost</dt><dd>[0-9.]+ USD</dd>", page)
    row = browser.get("/console/pipelines").partition('href="/console/pipelines/daily"')[2]
    assert re.search(r'<td class="number">[0-9.]+ USD</td>', row.partition("</tr>")[0])
