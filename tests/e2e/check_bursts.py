"""More runs at once than Pub/Sub's window lets out at first, delivered as badly as it may deliver them."""

from collections import Counter
from pathlib import Path

from tests.e2e.platforms import running_platform
from tests.e2e.tenants import Tenant, query_step
from tests.e2e.test_restarts import TENANT, TROUBLED, appended

BURST = 5
"""As many runs as a plan lets run at once; delivered twice, more than Pub/Sub's window lets out at first."""


def test_a_burst_of_runs_appends_once_each_however_badly_its_levels_are_delivered(tmp_path: Path) -> None:
    with running_platform(tmp_path / "platform.log", program=TROUBLED, TENANT=TENANT) as platform:
        tenant = Tenant(url=platform.url, id=TENANT, key=platform.part("API key"))
        assert burst(tenant) == {"COMPLETED": BURST}
        numbers = list(range(BURST))
        assert appended(platform, tenant, "firsts", "lasts") == {"firsts": numbers, "lasts": numbers}


def burst(tenant: Tenant) -> Counter[str]:
    """Ask for many runs, each of which appends its own number; wait for all, and count how they end."""
    tenant.upload(
        "burst",
        query_step("first", "SELECT ${n} AS n", "firsts", write_disposition="WRITE_APPEND"),
        query_step("last", "SELECT n FROM firsts WHERE n = ${n}", "lasts", write_disposition="WRITE_APPEND"),
        parameters={"n": {"type": "INT64"}},
    )
    run_ids = [tenant.run("burst", {"parameters": {"n": number}}) for number in range(BURST)]
    return Counter(tenant.ended(run_id)["status"] for run_id in run_ids)
