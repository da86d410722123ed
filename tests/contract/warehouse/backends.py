"""The two backends of the contract on run rows and jobs: in memory, and the local BigQuery."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from local_bigquery.settings import settings

from common.claims import ClaimJobs
from common.runs.files import FileClaims, LoadJobs
from common.runs.ports import AdmissionReads, ConfigText, RunWrites, StepJob, StepJobs
from common.runs.progress import OpenRun
from common.runs.quotas import Limits
from common.runs.sweeping import Findings
from common.times import to_rfc3339
from common.warehouse.admissions import AdmissionRows
from common.warehouse.bigquery import Central, Queries
from common.warehouse.buckets import BucketsOf, buckets_of_platform, no_buckets
from common.warehouse.jobs import ClaimedJobs, ExecutorJobs
from common.warehouse.progress import ProgressRows
from common.warehouse.runs import RunRows
from common.warehouse.streaming import Streaming
from local.bigquery import LocalBigQuery
from tests.fakes.clock import START, VirtualClock
from tests.fakes.jobs import MemoryJobs, Outcome
from tests.fakes.runs import MemoryProgress, MemoryRuns, MemoryTenant


class Progress(Protocol):
    """Both of the ports that read how far runs have come."""

    def find(self, tenant_id: str, run_id: str, now: datetime) -> OpenRun | None: ...

    def look(self, quiet_before: datetime, now: datetime) -> Findings: ...


class LoadingJobs(StepJobs, LoadJobs, Protocol):
    """Jobs of an identity that loads files too."""


type AddTenants = Callable[[Sequence[str], Limits], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """One implementation of all ports, and a way to put a tenant into it."""

    store: RunWrites
    facts: AdmissionReads
    progress: Progress
    claims: ClaimJobs
    jobs: LoadingJobs
    claims_of: Callable[[StepJob], FileClaims]
    add_tenants: AddTenants
    """Write the rows of tenants, which runs are admitted by."""
    add_dataset: Callable[[str], object]
    """Give a tenant its dataset, which jobs write to."""
    forget: Callable[[str], None]
    """Have a job ID be taken by a job that is too old to be told of."""
    wait: Callable[[], None]
    """Let a little time pass."""
    slow_down: Callable[[float], None]
    """Have each job from now on take so many seconds longer than the least."""
    put_file: Callable[[str, str], object]
    """Write a file, by its URI."""
    miss: Callable[[str, str], None]
    """Have no table of a name for the statement of a target."""


def more_tenants(add_tenants: AddTenants, limits: Limits) -> Iterator[str]:
    """Write down more tenants than a module has tests: together they cost as much as one."""
    names = [f"acme_{number}" for number in range(50)]
    add_tenants(names, limits)
    return iter(names)


def in_memory() -> Backend:
    """Make the backend of unit tests and of the simulation."""
    clock = VirtualClock()
    jobs = MemoryJobs(clock)
    rows = MemoryRuns()

    def add_tenants(tenant_ids: Sequence[str], limits: Limits) -> None:
        config = ConfigText(config_id="daily", version=1, text="steps: []", priority=3)
        for tenant_id in tenant_ids:
            rows.tenants[tenant_id] = MemoryTenant(limits=limits, configs={"daily": config})

    def slow_down(seconds: float) -> None:
        jobs.outcomes.default_factory = lambda: Outcome(takes=timedelta(seconds=seconds))

    def miss(target: str, table: str) -> None:
        for call in ("dry run", "submit"):
            said = f"Not found: Table p:d.{table} was not found in location US"
            jobs.refusals[call, target] = (404, "notFound", said)

    return Backend(
        store=rows,
        facts=rows,
        progress=MemoryProgress(rows),
        claims=jobs,
        jobs=jobs,
        claims_of=jobs.files_of,
        add_tenants=add_tenants,
        add_dataset=lambda tenant_id: None,
        forget=jobs.forgotten.add,
        wait=lambda: clock.sleep(1),
        slow_down=slow_down,
        put_file=lambda uri, _text: jobs.buckets.put(uri),
        miss=miss,
    )


def in_bigquery(central: Central, storage_url: str = "") -> Backend:
    """Make the real adapters on a central dataset that is set up, and on a Cloud Storage where files are."""
    buckets: BucketsOf = (
        partial(buckets_of_platform, emulator_host=storage_url) if storage_url else no_buckets
    )
    queries, streaming = Queries(central=central), Streaming(central=central)
    jobs = ExecutorJobs(
        client=central.client, location=central.location, project=central.project, buckets=buckets
    )

    def add_tenants(tenant_ids: Sequence[str], limits: Limits) -> None:
        made = {tenant_id: _tenant_rows(tenant_id, limits) for tenant_id in tenant_ids}
        for table in ("tenant_profiles", "tenant_subscriptions", "tenant_pipeline_configs"):
            recorded = {"recorded_at": to_rfc3339(START)}
            streaming.append(table, {tenant_id: rows[table] | recorded for tenant_id, rows in made.items()})

    return Backend(
        store=RunRows(streaming=streaming),
        facts=AdmissionRows(queries=queries),
        progress=ProgressRows(queries=queries),
        claims=ClaimedJobs(client=central.client, location=central.location),
        jobs=jobs,
        claims_of=jobs.files_of,
        add_tenants=add_tenants,
        add_dataset=central.client.create_dataset,
        forget=lambda job_id: _forget(central, job_id),
        wait=lambda: time.sleep(0.05),
        slow_down=_slow_down,
        put_file=_put_file,
        miss=lambda target, table: None,  # The SQL names one that nobody has made.
    )


def _slow_down(seconds: float) -> None:
    server = LocalBigQuery.running()
    assert server is not None
    server.latency.job_seconds = seconds


def _put_file(uri: str, text: str) -> None:
    root = settings.gcs_local_root
    assert root is not None
    path = Path(root) / uri.removeprefix("gs://")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _forget(central: Central, job_id: str) -> None:
    server = LocalBigQuery.running()
    assert server is not None
    server.job_ids.forgotten.add((central.project, job_id))


def _tenant_rows(tenant_id: str, limits: Limits) -> dict[str, dict[str, Any]]:
    created = {"tenant_id": tenant_id, "created_at": to_rfc3339(START - timedelta(days=1000))}
    return {
        "tenant_profiles": created
        | {
            "company_name": "Acme",
            "admin_email": "a@acme.example",
            "tenant_dataset_id": tenant_id,
            "status": "ACTIVE",
        },
        "tenant_subscriptions": created
        | {
            "subscription_id": f"sub-{tenant_id}",
            "plan_name": "STARTER",
            "status": "ACTIVE",
            "daily_limit": limits.daily,
            "monthly_limit": limits.monthly,
            "concurrent_limit": limits.concurrent,
        },
        "tenant_pipeline_configs": created
        | {
            "config_id": "daily",
            "version": 1,
            "pipeline_yaml": "steps: []",
            "content_hash": "0",
            "priority": 3,
            "is_active": True,
        },
    }
