"""The pipelines function on in-memory ports, for tests of its endpoints."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from werkzeug.test import TestResponse

from common.backfills.backfills import Backfills
from common.costs.prices import price_of
from common.http.endpoints.pipelines import PIPELINE_ROUTES
from common.http.services import PipelineServices
from common.pipelines.configs import Compiler, Configs
from common.pipelines.pipeline import Parameter, Pipeline
from common.pipelines.plans import CheckJob
from common.pipelines.secret_values import ParameterSeal
from common.pipelines.tables import Policy
from common.public_urls import PublicUrls
from common.quality.check_queries import CheckFilter, CheckQueries, CheckView, PastCheck
from common.queue.enqueueing import QueueingRequests
from common.queue.filling import SlotFiller
from common.queue.queued_runs import QueuedRunReads
from common.queue.run_queue import RunQueue
from common.queue.stopping import RunStopper
from common.runs.beginning import RunAdmission
from common.runs.cancelling import RunCanceller
from common.runs.guarding import PolicyGuard
from common.runs.ports import ConfigText, StepJob
from common.runs.progress import OpenRun, Progress
from common.runs.quotas import Limits
from common.runs.quotes import Quotes
from common.runs.retrying import RunRetrier
from common.runs.run import Run, RunStatus
from common.runs.run_queries import HistoryFilter, RunQueries
from common.runs.sql_testing import ConfigTester
from common.runs.starting import RunService
from common.runs.views import AttemptView, Figures, RunDetails, RunView
from common.schedules.timetable import Schedules
from common.tenants.own_tables import OwnTables
from common.times import Clock
from tests.fakes.clock import VirtualClock
from tests.fakes.configs import MemoryConfigs
from tests.fakes.events import silent
from tests.fakes.jobs import MemoryJobs
from tests.fakes.runs import MemoryLevels, MemoryRuns, MemoryTenant
from tests.fakes.schedules import (
    MemoryBackfills,
    MemoryBulkLevels,
    MemoryFirings,
    MemoryQueue,
    MemoryRefusals,
    MemoryTenantAdmissions,
    MemoryTimetable,
)
from tests.fakes.seals import a_seal
from tests.fakes.tables import MemoryTables
from tests.unit.http.site import Site, edge, key_of
from tests.unit.pipelines.examples import STEP_TYPES
from tests.unit.runs.examples import a_pipeline, a_query, a_step

ACME, OTHER = key_of("acme"), key_of("other")


@dataclass
class Rows:
    """`RunReads`, `CheckReads` and `ProgressReader` over what a test lays down."""

    views: list[RunDetails] = field(default_factory=list)
    attempts: dict[str, list[AttemptView]] = field(default_factory=dict)
    figures: dict[str, Figures] = field(default_factory=dict)
    runs: dict[str, tuple[Run, RunStatus]] = field(default_factory=dict)
    asked: list[HistoryFilter] = field(default_factory=list)
    checks: dict[str, list[PastCheck]] = field(default_factory=dict)
    """By tenant."""
    asked_figures: list[tuple[list[str], datetime]] = field(default_factory=list)

    def _mine(self, tenant_id: str) -> dict[str, RunDetails]:
        return {view.run_id: view for view in self.views if view.tenant_id == tenant_id}

    def read_run(self, tenant_id: str, run_id: str, now: datetime) -> RunDetails | None:
        return self._mine(tenant_id).get(run_id)

    def read_history(self, tenant_id: str, wanted: HistoryFilter) -> Sequence[RunView]:
        self.asked.append(wanted)
        return list(self._mine(tenant_id).values())[: wanted.page_size]

    def read_receipt(self, tenant_id: str, run_id: str, since: datetime) -> Sequence[AttemptView]:
        return self.attempts.get(run_id, []) if run_id in self._mine(tenant_id) else []

    def read_checks(self, tenant_id: str, run_id: str, since: datetime) -> Sequence[CheckView]:
        return [past.check for past in self.checks.get(tenant_id, ()) if past.check.run_id == run_id]

    def read_figures(
        self, tenant_id: str, run_ids: Collection[str], since: datetime
    ) -> Mapping[str, Figures]:
        self.asked_figures.append((list(run_ids), since))
        mine = self._mine(tenant_id)
        return {
            run_id: self.figures[run_id] for run_id in run_ids if run_id in mine and run_id in self.figures
        }

    def read_results(self, tenant_id: str, wanted: CheckFilter) -> Sequence[PastCheck]:
        return self.checks.get(tenant_id, [])[: wanted.page_size]

    def find(self, tenant_id: str, run_id: str, now: datetime) -> OpenRun | None:
        run, status = self.runs.get(run_id, (None, RunStatus.PENDING))
        if run is None or run.tenant_id != tenant_id:
            return None
        nothing: frozenset[str] = frozenset()
        progress = Progress(completed=nothing, has_begun=True, last_activity=now)
        return OpenRun(run=run, status=status, config=CONFIG, progress=progress)


CONFIG = ConfigText(config_id="daily", version=1, text="pipeline: {name: Daily}")


def compiled(tenant_id: str, config: ConfigText) -> Pipeline:
    declared = (
        Parameter(name="date", type="DATE"),
        Parameter(name="region", type="STRING", default="EU"),
        Parameter(name="token", type="STRING", secret=True),
    )
    extract = a_step("extract", jobs=(a_query("extract", parameters=("region", "token")),))
    return a_pipeline((extract,), (a_step("transform", 2),), tenant_id=tenant_id, parameters=declared)


def compiler() -> Compiler:
    """Return the compiler of uploads."""
    return Compiler(
        project_id="p",
        step_types=STEP_TYPES,
        policy_of=lambda tenant_id: Policy(project_id="p", dataset=tenant_id, allowed_sources=frozenset()),
    )


class MemoryLiteralQueries(MemoryJobs):
    """`LiteralQueries` whose rows a test lays down."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.rows: list[dict[str, Any]] = []

    def rows_of(self, job: StepJob, work: CheckJob) -> Sequence[Mapping[str, Any]]:
        return self.rows


class World:
    """The pipelines function on in-memory ports; acme has the config `daily`, other has none."""

    def __init__(self, seal: ParameterSeal | None = None) -> None:
        clock = VirtualClock()
        seal = seal or a_seal()
        self.timetable = MemoryTimetable()
        self.tables = MemoryTables()
        self.rows, self.store, self.levels, jobs = Rows(), MemoryRuns(), MemoryLevels(), MemoryJobs(clock)
        self.store.tenants = {
            "acme": MemoryTenant(limits=Limits(daily=2, monthly=9, concurrent=3), configs={"daily": CONFIG}),
            "other": MemoryTenant(),
        }
        self.jobs = jobs
        run_admission = RunAdmission(
            facts=self.store, store=self.store, claims=jobs, levels=self.levels, clock=clock
        )
        self.queue = MemoryQueue()
        self.firings = MemoryFirings()
        self.refusals = MemoryRefusals(self.firings, self.queue, self.store)
        queue = RunQueue(store=self.queue, firings=self.firings, claims=jobs, announcer=silent(), clock=clock)
        stopper = RunStopper(
            canceller=RunCanceller(
                reader=self.rows,
                claims=jobs,
                identities=jobs,
                levels=self.levels,
                clock=clock,
            ),
            queue=queue,
        )
        filler = SlotFiller(
            store=MemoryTenantAdmissions(self.store),
            queue=queue,
            run_admission=run_admission,
            claims=jobs,
            levels=MemoryBulkLevels(self.levels),
            compile=compiled,
            cancel=stopper.canceller.cancel,
            clock=clock,
        )
        quotes = Quotes(
            identities=jobs,
            guard=PolicyGuard(project_id="p"),
            project="p",
            price=price_of("US"),
        )
        self.literals = MemoryLiteralQueries(clock)
        configs = Configs(store=MemoryConfigs(), compiler=compiler(), clock=clock)
        services = PipelineServices(
            edge=edge(public_urls=PublicUrls(own="https://convergence.example.com")),
            configs=configs,
            run_service=RunService(
                enqueuer=QueueingRequests(queue=queue, clock=clock),
                run_admission=run_admission,
                reader=self.rows,
                compile=compiled,
                clock=clock,
                seal=seal,
            ),
            retrier=RunRetrier(run_admission=run_admission, reader=self.rows, compile=compiled, clock=clock),
            canceller=stopper,
            backfills=Backfills(
                reader=MemoryBackfills(self.queue, self.store),
                queue=queue,
                filler=filler,
                stopper=stopper,
                run_admission=run_admission,
                quotes=quotes,
                compile=compiled,
                clock=clock,
                seal=seal,
            ),
            queue=queue,
            quotes=quotes,
            clock=clock,
            run_queries=RunQueries(
                reads=QueuedRunReads(reads=self.rows, queue=self.queue, refusals=self.refusals),
                facts=self.store,
                claims=jobs,
                clock=clock,
            ),
            quality=CheckQueries(reads=self.rows, clock=clock),
            schedules=Schedules(timetable=self.timetable, refused=self.refusals, clock=clock),
            tester=ConfigTester(
                configs=configs,
                queries=self.literals,
                guard=PolicyGuard(project_id="p"),
                new_id=lambda: "1",
            ),
            tables=OwnTables(store=self.tables, writes=self.tables, clock=clock),
        )
        self.site = Site(PIPELINE_ROUTES, services)

    def ask(self, method: str, path: str, **more: Any) -> TestResponse:
        """Send a request with acme's key, or another."""
        return self.site.ask(method, path, **{"key": ACME} | more)
