"""A run whose every message is delivered twice, late and out of order."""

from collections.abc import Iterator

import pytest

from tests.e2e.platforms import ADMIN_KEY, RunningPlatform, running_platform
from tests.e2e.tenants import Tenant, ask, query_step, steps_of


@pytest.fixture(scope="module")
def troubled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    log = tmp_path_factory.mktemp("troubled") / "platform.log"
    with running_platform(log, program=("-m", "tests.e2e.troubled_platform")) as running:
        assert ask(running.url, "POST", "/admin/bootstrap", {}, X_Admin_Key=ADMIN_KEY).status == 200
        yield running


def test_appended_rows_are_there_once_per_run_however_often_a_level_is_delivered(
    troubled: RunningPlatform,
) -> None:
    tenant = Tenant.onboard(troubled.url)
    tenant.upload(
        "appends",
        query_step("a", "SELECT ${date} AS day", "days", write_disposition="WRITE_APPEND"),
        query_step("b", "SELECT COUNT(*) AS days FROM days", "counts", write_disposition="WRITE_APPEND"),
    )
    first = tenant.completed("appends", {"date": "2024-01-01"})
    second = tenant.completed("appends", {"date": "2024-01-02"})
    with troubled.bigquery() as tables:
        days = [row["day"].isoformat() for row in tables.query_and_wait(f"SELECT day FROM {tenant.id}.days")]
        counts = [row["days"] for row in tables.query_and_wait(f"SELECT days FROM {tenant.id}.counts")]
    assert sorted(days) == ["2024-01-01", "2024-01-02"]
    assert sorted(counts) == [1, 2]
    assert [step["attempt"] for run in (first, second) for step in steps_of(run)] == [1] * 4
