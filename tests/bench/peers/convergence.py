"""Convergence as a contestant: its functions run as they are deployed, each an instance of its own."""

import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import grpc
from google.cloud import pubsub_v1, scheduler_v1
from google.cloud.scheduler_v1.services.cloud_scheduler.transports import CloudSchedulerGrpcTransport

from local.bigquery import Counts, LocalBigQuery
from local.demo.stage import ephemeral_options
from local.platform import Platform
from local.provisioning import LOCATION
from tests.bench.peers.measuring import Failed, Measured
from tests.bench.peers.processes import Usage, usage_of_session
from tests.bench.peers.work import Shape
from tests.deployed.instances import LOCKED, Deployed, deployed
from tests.e2e.tenants import ENDED, Tenant, ask
from tests.functional.costs import own_requests

AT_WORK = ("pipelines", "run_level")
"""The functions that a run asked for by hand keeps busy, beside those that tell people of it."""
QUIET_SECONDS = 0.5
WAIT_SECONDS = 300.0
FIRST_USE = "import main; from common import wiring; wiring.level_receiver(); wiring.ADAPTERS.platform_client"


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredRun:
    """A run, measured from its 202 on, and what came before that."""

    measured: Measured
    """Its requests and jobs are the whole run's, those before the 202 included, `tables.get` left out."""
    requests_before: int
    jobs_before: int
    seconds_before: float
    """From the request for the run to the 202."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Convergence:
    """A platform that runs, and a tenant for each shape."""

    platform: Platform
    instances: Mapping[str, Deployed]
    folder: Path

    @property
    def bigquery(self) -> LocalBigQuery:
        """The BigQuery that all contestants share."""
        assert self.platform.bigquery
        return self.platform.bigquery

    def tenant_for(self, shape: Shape) -> Tenant:
        """Make a tenant that has a pipeline of a shape, and ran it once: its instances are warm then."""
        tenant = Tenant.onboard(self.platform.options.url)
        steps = [
            {
                "id": table.name,
                "ps_type": "bq_etl.query",
                "depends_on": [table.source] if table.source else [],
                "config": {
                    "source_query": table.sql(table.source),
                    "target_table": table.name,
                    "write_disposition": "WRITE_TRUNCATE",
                },
            }
            for level in shape.rows()
            for table in level
        ]
        tenant.upload("bench", *steps)
        self.run(tenant)
        return tenant

    def run(self, tenant: Tenant) -> MeasuredRun:
        """Run the tenant's pipeline once, and measure it; Failed where it does not complete."""
        counts, ends = self.bigquery.counts, _Ends(self.platform.options.project)
        tenant.ask("GET", "/api/v1/pipelines/configs")  # The instance has seen the key.
        with ends.heard():
            before = self._usage()
            counts.reset()
            asked_at = time.monotonic()
            run_id = tenant.run("bench")
            admitted_at = time.monotonic()
            requests, jobs = counts.methods.total(), counts.jobs()
            status, ended_at = ends.wait_for(run_id)
            _wait_until_quiet(counts)
        if status != "COMPLETED":
            raise Failed(f"the run is {status}: {tenant.status(run_id)}")
        after = self._usage()
        measured = Measured(
            seconds=ended_at - admitted_at,
            requests=own_requests(counts.methods),
            jobs=counts.jobs(),
            cpu_seconds=after.cpu_seconds - before.cpu_seconds,
            peak_mib=usage_of_session(self.instances["run_level"].process_id).peak_mib,
            start_seconds=0.0,
        )
        return MeasuredRun(
            measured=measured,
            requests_before=requests,
            jobs_before=jobs,
            seconds_before=admitted_at - asked_at,
        )

    def start_seconds(self) -> float:
        """Start an instance of run_level, up to the client that its first request goes out by."""
        environment = {"PATH": os.defpath, **self.platform_environment()}
        began = time.monotonic()
        subprocess.run(
            [str(LOCKED / "python"), "-c", FIRST_USE],
            cwd=self.folder / "run_level",
            env=environment,
            check=True,
        )
        return time.monotonic() - began

    def platform_environment(self) -> Mapping[str, str]:
        """Tell an instance where the local services are."""
        return {
            "GCP_PROJECT_ID": self.platform.options.project,
            "BIGQUERY_EMULATOR_HOST": self.platform.parts["bigquery"],
            "PUBSUB_EMULATOR_HOST": self.platform.parts["pubsub"],
        }

    def _usage(self) -> Usage:
        used = [usage_of_session(self.instances[name].process_id) for name in AT_WORK]
        return Usage(
            cpu_seconds=sum(one.cpu_seconds for one in used), peak_mib=max(one.peak_mib for one in used)
        )


class _Ends:
    """Hears of the ends of runs, as anybody may who subscribes to their events."""

    def __init__(self, project: str) -> None:
        self._subscriber = pubsub_v1.SubscriberClient()
        self._topic = f"projects/{project}/topics/run-events"
        self._name = self._subscriber.subscription_path(project, f"bench-{uuid4().hex[:8]}")

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Subscribe inside the block."""
        with self._subscriber:
            self._subscriber.create_subscription(name=self._name, topic=self._topic)
            try:
                yield
            finally:
                self._subscriber.delete_subscription(subscription=self._name)

    def wait_for(self, run_id: str) -> tuple[str, float]:
        """Return how a run ended, and when that was heard."""
        while True:
            pulled = self._subscriber.pull(subscription=self._name, max_messages=10, timeout=WAIT_SECONDS)
            heard_at = time.monotonic()
            for received in pulled.received_messages:
                event = json.loads(received.message.data)
                if event["pipeline_logging_id"] == run_id and event["status"] in ENDED:
                    return event["status"], heard_at


@contextmanager
def convergence(folder: Path) -> Iterator[Convergence]:
    """Start the local services and an instance of each function; the dispatcher's minute is left out."""
    instances: dict[str, Deployed] = {}

    @contextmanager
    def serving(told: Mapping[str, str]) -> Iterator[Mapping[str, Deployed]]:
        with deployed(folder, told) as running:
            instances.update(running)
            yield running

    options = replace(ephemeral_options(), data_dir=folder)
    with Platform(options, serving=serving) as platform:
        _pause_dispatcher(platform)
        key = {"X_Admin_Key": options.admin_api_key}
        answer = ask(options.url, "POST", "/admin/bootstrap", {}, **key)
        assert answer.status == 200, answer.body
        yield Convergence(platform=platform, instances=instances, folder=folder)


def _pause_dispatcher(platform: Platform) -> None:
    channel = grpc.insecure_channel(platform.parts["scheduler"])
    with scheduler_v1.CloudSchedulerClient(transport=CloudSchedulerGrpcTransport(channel=channel)) as client:
        client.pause_job(name=f"projects/{platform.options.project}/locations/{LOCATION}/jobs/dispatcher")


def _wait_until_quiet(counts: Counts) -> None:
    """Wait for what a run's end brings with it, after its event."""
    seen = -1
    while seen != (seen := counts.methods.total()):
        time.sleep(QUIET_SECONDS)
