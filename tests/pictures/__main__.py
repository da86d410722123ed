"""Lay a tenant's week down on servers of this process, and take three pictures of its pages."""

import os
import tempfile
from datetime import date, timedelta
from pathlib import Path

from tests.conftest import pytest_configure
from tests.functional.browsers import Window, chromium_on
from tests.functional.serving import serving
from tests.functional.site import Site, Tenant, a_pipeline_file

FILE = Path(__file__).with_name("daily_sales.yml")
FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
SIZE = (1040, 700)
LAST_DAY = date(2024, 1, 31)
RUNS = 6


def main() -> None:
    """Take the pictures."""
    os.environ["REQUIRE_BROWSER"] = "1"
    pytest_configure()
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as site:
        tenant = site.onboard("customer_name")
        run_id = _week(site, tenant)
        failed = _failure(site, tenant)
        with chromium_on(site) as chromium, chromium.window(SIZE, color_scheme="light") as window:
            window.sign_in(tenant.key)
            _take(window, "/console/pipelines/daily_sales", "pipeline")
            _take(window, f"/console/runs/{failed}", "failed-run")
            _take(window, "/console/tables/sales", "table")
    print(f"three pictures are in {FOLDER}, of the run {run_id} among others")


def _week(site: Site, tenant: Tenant) -> str:
    assert tenant.upload("daily_sales", FILE.read_text(encoding="utf-8")).status_code == 201
    for back in reversed(range(RUNS)):
        run_id = tenant.run("daily_sales", {"date": (LAST_DAY - timedelta(days=back)).isoformat()})
        site.drain()
    return run_id


def _failure(site: Site, tenant: Tenant) -> str:
    share = "SELECT country,\n  ROUND(amount / orders) AS mean,\n  discount\nFROM by_country"
    tenant.upload(
        "shares",
        a_pipeline_file(
            {"by_country": "SELECT * FROM sales"}, {"shares": share}, {"report": "SELECT * FROM shares"}
        ),
    )
    run_id = tenant.run("shares")
    site.drain()
    return run_id


def _take(window: Window, path: str, name: str) -> None:
    window.open(path).screenshot(path=FOLDER / f"{name}.png")


if __name__ == "__main__":
    main()
