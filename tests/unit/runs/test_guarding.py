"""What BigQuery is asked of tenants' SQL, and what of its answers may be told."""

from dataclasses import replace

import pytest

from common.errors import NoSuchResource, QueryRefused, WarehouseError
from common.pipelines.plans import QueryJob
from common.runs.guarding import WITHHELD, guarded_dry_run
from common.runs.ports import DryRun, StepJob
from tests.fakes.clock import VirtualClock
from tests.fakes.jobs import MemoryJobs

JOB = StepJob(
    job_id="cvg-step-1",
    tenant_id="acme",
    work=QueryJob(sql="SELECT 1", destination="t"),
    parameters=(),
    timeout_seconds=60,
    labels={},
    sources=("bigquery-public-data", "shared-data.reference", "other-data.sales.orders"),
)


class Refusing(MemoryJobs):
    """Jobs of which BigQuery says one thing."""

    def __init__(self, error: WarehouseError) -> None:
        super().__init__(VirtualClock())
        self.error = error

    def dry_run(self, job: StepJob) -> DryRun:
        raise self.error


def passes(job: StepJob, dry_run: DryRun | None) -> str:
    return ""


def told(message: str, job: StepJob = JOB) -> str:
    with pytest.raises(WarehouseError) as error:
        guarded_dry_run(Refusing(NoSuchResource(message, "notFound")), job, passes)
    return str(error.value)


def test_a_text_that_the_guard_refuses_is_never_asked_about() -> None:
    jobs = MemoryJobs(VirtualClock())

    with pytest.raises(QueryRefused, match="reads victim"):
        guarded_dry_run(jobs, JOB, lambda job, dry_run: "" if dry_run else "reads victim.t")

    assert jobs.dry_runs == []


def test_bigquerys_own_reading_is_judged_before_anybody_hears_of_it() -> None:
    jobs = MemoryJobs(VirtualClock())

    with pytest.raises(QueryRefused, match="reads victim"):
        guarded_dry_run(jobs, JOB, lambda job, dry_run: "reads victim.t" if dry_run else "")

    assert guarded_dry_run(jobs, JOB, passes).statement_type == "SELECT"


@pytest.mark.parametrize(
    "message",
    [
        "Not found: Table p-1:victim.orders was not found in location US",
        "Not found: Dataset p-1:victim was not found in location US",
        "Access Denied: Table p-1:victim.t: User does not have permission to query table p-1:victim.t",
        "Routine not found: p-1.victim.f at [1:8]",
        "Not found: View `p-1.victim.v` was not found",
        "p-1:victim.events_* does not match any table.",
        "Access Denied: Table other-data:sales.customers: no permission",
        "Not found: Table p-1:victim.t and Table p-1:acme.t",
    ],
)
def test_an_error_about_tables_of_others_is_withheld(message: str) -> None:
    assert told(message) == WITHHELD


@pytest.mark.parametrize(
    "message",
    [
        "Not found: Table p-1:acme.orders was not found in location US",
        "Not found: Table bigquery-public-data:samples.nope was not found in location US",
        "Not found: Table shared-data:reference.countries was not found",
        "Not found: Table other-data:sales.orders was not found",
        "Unrecognized name: amuont; Did you mean amount? at [1:8]",
        "Syntax error: Unexpected keyword TABLE at [1:8]",
    ],
)
def test_an_error_about_ones_own_is_told_as_it_is(message: str) -> None:
    assert told(message) == message


def test_who_asks_under_an_account_of_their_own_hears_all_that_it_may_hear() -> None:
    message = "Not found: Table customer-project:sales.orders was not found in location EU"

    assert told(message, replace(JOB, credential="my-gcp")) == message


@pytest.mark.parametrize(
    "message",
    [
        "UNNEST cannot be applied on a table: victim.t at [2:13]",
        "UNNEST cannot be applied on path expression with table name prefix p-1.victim.t at [2:13]",
        "Unrecognized name: victim at [2:13]",
    ],
)
def test_a_table_in_unnest_is_the_same_whether_it_is_there_or_not(message: str) -> None:
    job = replace(JOB, work=QueryJob(sql="SELECT 1\nFROM UNNEST(victim.t)", destination="t"))

    assert told(message, job) == "Unrecognized name: victim at [2:13]"
