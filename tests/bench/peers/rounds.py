"""The comparison: all contestants in turns, round by round, on one BigQuery."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from common.warehouse.clients import make_client
from tests.bench.peers.contestants import BARE_LEVELS, BARE_SUBMIT_ALL, Contestant
from tests.bench.peers.convergence import Convergence
from tests.bench.peers.measuring import Failed, Measured, measured
from tests.bench.peers.results import Admission, Part, Row
from tests.bench.peers.work import Shape, Work
from tests.e2e.tenants import Tenant

logger = logging.getLogger(__name__)

CONVERGENCE = "Convergence"
DATASET = "bench"
TRIES = 4
MAX_SHOWN = 500


@dataclass(slots=True, kw_only=True)
class Comparison:
    """Rounds of one machine. A run that the local BigQuery fails is made once more."""

    platform: Convergence
    folder: Path
    latency_seconds: float
    peers: Sequence[Contestant] = ()
    admissions: list[Admission] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    """Those who have given up, and why."""
    repeated: int = 0
    started: int = 0
    _start_seconds: float = 0.0

    def part(self, shape: Shape, job_seconds: float, rounds: int) -> Part:
        """Run one shape with jobs of one length."""
        options, bigquery = self.platform.platform.options, self.platform.bigquery
        client = make_client(project=options.project, location="US", emulator_host=bigquery.url)
        client.create_dataset(DATASET)
        self._start_seconds = self.platform.start_seconds()
        rows = list(self._rows(shape, job_seconds, rounds))
        return Part(rows=rows, admissions=self.admissions, failed=self.failed, repeated=self.repeated)

    def _rows(self, shape: Shape, job_seconds: float, rounds: int) -> Iterator[Row]:
        """Run a shape in rounds, and compare each contestant with the script."""
        self._be_slow(0.0, 0.0)
        tenant = self.platform.tenant_for(shape)
        self._be_slow(self.latency_seconds, job_seconds)
        peers = [one for one in self.peers if shape.tables <= one.max_tables]
        contestants: dict[str, Callable[[], Measured]] = {
            CONVERGENCE: lambda: self._run(tenant, shape, job_seconds),
            **{one.name: self._program(one, shape) for one in (BARE_LEVELS, BARE_SUBMIT_ALL, *peers)},
        }
        found: dict[str, list[Measured]] = {name: [] for name in contestants}
        for number in range(rounds):
            names = list(contestants)
            for name in names[number % len(names) :] + names[: number % len(names)]:
                if name not in self.failed:
                    found[name] += self._tried(name, contestants[name])
        script = found[BARE_LEVELS.name]
        for name in (name for name in found if name not in self.failed):
            yield Row.of(name, shape.name, job_seconds, list(zip(found[name], script, strict=True)))

    def _be_slow(self, request_seconds: float, job_seconds: float) -> None:
        latency = self.platform.bigquery.latency
        latency.request_seconds, latency.job_seconds = request_seconds, job_seconds

    def _tried(self, name: str, work: Callable[[], Measured]) -> list[Measured]:
        for _ in range(TRIES):
            try:
                return [work()]
            except Failed as failed:
                self.repeated += 1
                logger.warning("once more: %s", str(failed)[-MAX_SHOWN:])
        self.failed[name] = f"failed {TRIES} times"
        return []

    def _run(self, tenant: Tenant, shape: Shape, job_seconds: float) -> Measured:
        run = self.platform.run(tenant)
        self.admissions.append(
            Admission(
                shape=shape.name,
                job_seconds=job_seconds,
                requests=run.requests_before,
                jobs=run.jobs_before,
            )
        )
        return replace(run.measured, start_seconds=self._start_seconds)

    def _program(self, contestant: Contestant, shape: Shape) -> Callable[[], Measured]:
        bigquery = self.platform.bigquery
        work = Work(
            shape=shape,
            project=self.platform.platform.options.project,
            dataset=DATASET,
            url=bigquery.url,
        )

        def run() -> Measured:
            self.started += 1
            bigquery.access.is_on = False  # They bring no identity that the platform has given them.
            try:
                return measured(contestant, work, self.folder / f"{self.started}", bigquery.counts)
            finally:
                bigquery.access.is_on = True

        return run
