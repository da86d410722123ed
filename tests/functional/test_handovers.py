"""A level whose job outlives its call, on the real adapters."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, cast

import pytest

from common.pipelines.pipeline import Pipeline
from common.runs.level_messages import LevelMessage, decode
from common.runs.ports import Identities, JobReport, JobsOf, StepJob, StepJobs
from common.times import utc_now
from common.wiring import PUSH_DEADLINE, SERVICES, dispatcher
from tests.fakes.clock import VirtualClock
from tests.functional.site import Site, Tenant, a_pipeline_file

ENDLESS_SECONDS = 3600.0
BUDGET = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class WithoutWaiting:
    """The real jobs; waiting for one of them is a look at it, and takes virtual time."""

    jobs: StepJobs
    clock: VirtualClock

    def __getattr__(self, name: str) -> Any:
        return getattr(self.jobs, name)

    def wait(self, job: StepJob, known: JobReport, seconds: float) -> JobReport:
        self.clock.sleep(seconds)
        return self.jobs.find(job.job_id) or known


@dataclass(frozen=True, slots=True)
class ActingWithoutWaiting:
    """The real accounts, whose jobs nobody waits for."""

    identities: Identities
    clock: VirtualClock

    def acting_for(self, pipeline: Pipeline) -> JobsOf:
        jobs_of = self.identities.acting_for(pipeline)
        return lambda step: cast("StepJobs", WithoutWaiting(jobs_of(step), self.clock))


def work_until_time_is_up(message: LevelMessage, clock: VirtualClock) -> None:
    """Carry a level out as one delivery of its message does; the waiting alone takes no time."""
    worker = SERVICES.worker
    identities = ActingWithoutWaiting(worker.identities, clock)
    replace(worker, budget=BUDGET, clock=clock, sleep=clock.sleep, identities=identities).carry_out(message)


@pytest.fixture
def _endless_steps(site: Site) -> Iterator[None]:
    """Have each step's job run until it is cancelled; it takes time, and no work."""
    site.bigquery.latency.job_seconds, site.bigquery.latency.job_id_prefix = ENDLESS_SECONDS, "cvg-step-"
    yield
    site.bigquery.latency.reset()


def test_steps_with_ids_of_any_length_that_is_taken_complete(site: Site, common_tenant: Tenant) -> None:
    queries = {"s" * characters: "SELECT 1 AS n" for characters in (53, 54, 63)}
    assert common_tenant.upload("long", a_pipeline_file(queries)).status_code == 201
    run_id = common_tenant.run("long")
    site.drain()
    (level,) = common_tenant.status(run_id)["levels"]
    ended = {len(step["step_id"]): step["status"] for step in level["steps"]}
    assert ended == {53: "COMPLETED", 54: "COMPLETED", 63: "COMPLETED"}


@pytest.mark.usefixtures("_endless_steps")
def test_a_level_that_is_delivered_twice_goes_on_by_one_message_and_one_job(
    site: Site, common_tenant: Tenant
) -> None:
    tenant = common_tenant
    assert tenant.upload("endless", a_pipeline_file({"slow": "SELECT 1 AS n"})).status_code == 201
    run_id = tenant.run("endless")
    began = utc_now()
    for call in range(2):
        (pushed,) = site.take_levels()
        message = decode(base64.b64decode(pushed["message"]["data"]))
        assert message.continuation == call
        for _ in range(2):
            work_until_time_is_up(message, VirtualClock(began + call * BUDGET))
    assert tenant.status(run_id)["status"] == "RUNNING"
    assert tenant.call("POST", f"/api/v1/pipelines/cancel/{run_id}").status_code in {200, 202}
    site.drain()
    assert tenant.status(run_id)["status"] == "CANCELLED"
    (attempt,) = tenant.call("GET", f"/api/v1/pipelines/runs/{run_id}/receipt").get_json()["attempts"]
    assert (attempt["attempt"], attempt["status"]) == (1, "CANCELLED")
    (heard_of,) = site.rows(
        "SELECT COUNT(DISTINCT recorded_at) AS times FROM tenants.tenant_step_logs"
        f" WHERE pipeline_logging_id = '{run_id}' AND status = 'RUNNING'"
    )
    assert heard_of["times"] >= 3


def test_the_sweeper_leaves_a_message_as_long_as_it_may_wait(site: Site) -> None:
    assert SERVICES.worker.budget < PUSH_DEADLINE
    assert dispatcher().sweeper.quiet_after == PUSH_DEADLINE
