"""BigQuery's limits, in force in the local one: runs wait for them, and complete."""

import base64
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from common.runs.level_messages import decode
from common.times import utc_now
from common.wiring import SERVICES
from local.bigquery.metadata_updates import UPDATES, WINDOW_SECONDS
from tests.functional.site import Site, Tenant, a_pipeline_file

RUNS = UPDATES + 2
"""More than BigQuery lets write one table in a window of time."""


class Time:
    """The seconds that BigQuery's limits and the workers go by: they pass where a worker sleeps."""

    def __init__(self) -> None:
        self.began = utc_now()
        self.seconds = 0.0
        self._lock = threading.Lock()

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.seconds += seconds

    def now(self) -> datetime:
        return self.began + timedelta(seconds=self.seconds)


@pytest.fixture
def time(site: Site) -> Iterator[Time]:
    passing = Time()
    site.bigquery.limits.is_on, site.bigquery.limits.clock = True, lambda: passing.seconds
    yield passing
    site.bigquery.limits.reset()


def work_until_nothing_waits(site: Site, time: Time) -> None:
    """Carry out all levels that wait, each in a thread of its own, and what comes of them."""
    worker = replace(SERVICES.worker, clock=time.now, sleep=time.sleep)
    with ThreadPoolExecutor(RUNS) as pool:
        while pushed := site.take_levels():
            messages = [decode(base64.b64decode(one["message"]["data"])) for one in pushed]
            list(pool.map(worker.carry_out, messages))


def test_more_runs_at_once_than_one_table_takes_append_to_it_and_complete(
    site: Site, common_tenant: Tenant, time: Time
) -> None:
    tenant = common_tenant
    assert tenant.upload("appending", a_pipeline_file({"appended": "SELECT 1 AS n"})).status_code == 201
    run_ids = [tenant.run("appending", **{"Idempotency-Key": f"{number}"}) for number in range(RUNS)]
    work_until_nothing_waits(site, time)
    path = "/api/v1/pipelines/history?limit=100&pipeline_id=appending"
    runs = tenant.call("GET", path).get_json()["runs"]
    assert {run["pipeline_logging_id"]: run["status"] for run in runs} == dict.fromkeys(run_ids, "COMPLETED")
    (counted,) = site.rows(f"SELECT COUNT(*) AS n FROM `{tenant.tenant_id}`.appended")
    assert counted["n"] == RUNS
    attempts = site.rows(
        "SELECT DISTINCT pipeline_logging_id, attempt, status, job_id FROM tenants.tenant_step_logs"
        f" WHERE tenant_id = '{tenant.tenant_id}' AND step_id = 'appended'"
    )
    assert {(one["attempt"], one["status"]) for one in attempts} == {(1, "RUNNING"), (1, "COMPLETED")}
    done = [one["job_id"] for one in attempts if one["status"] == "COMPLETED"]
    assert len(done) == RUNS
    assert len([job_id for job_id in done if "-w" in job_id.removeprefix("cvg-step-")]) >= RUNS - UPDATES
    assert time.seconds >= WINDOW_SECONDS
