"""A burst of runs goes through Pub/Sub's push window, which begins small, while all deliveries are bad."""

from collections import Counter
from pathlib import Path

from tests.e2e.platforms import ADMIN_KEY, running_platform
from tests.e2e.tenants import Tenant, ask, query_step

TROUBLED = ("-m", "tests.e2e.troubled_platform")
RUNS = 8
"""More than the window lets out at first, and as many as a plan lets run at once."""


def test_a_burst_of_runs_appends_once_each_however_badly_its_levels_are_delivered(tmp_path: Path) -> None:
    with running_platform(tmp_path / "platform.log", program=TROUBLED) as platform:
        assert ask(platform.url, "POST", "/admin/bootstrap", {}, X_Admin_Key=ADMIN_KEY).status == 200
        tenant = Tenant.onboard(platform.url)
        tenant.upload(
            "appends",
            query_step("first", "SELECT ${n} AS n", "ones", write_disposition="WRITE_APPEND"),
            query_step("last", "SELECT n FROM ones WHERE n = ${n}", "twos", write_disposition="WRITE_APPEND"),
            parameters={"n": {"type": "INT64"}},
        )
        run_ids = [tenant.run("appends", {"parameters": {"n": number}}) for number in range(RUNS)]
        assert Counter(tenant.ended(run_id)["status"] for run_id in run_ids) == {"COMPLETED": RUNS}
        with platform.bigquery() as client:
            for table in ("ones", "twos"):
                rows = client.query_and_wait(f"SELECT n FROM {tenant.id}.{table}")
                assert sorted(row["n"] for row in rows) == list(range(RUNS))
