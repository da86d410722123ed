"""Schedules, queue and dispatcher on in-memory ports and in virtual time."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from common.dispatcher.dispatching import Dispatcher
from common.errors import InvalidInput
from common.pipelines.pipeline import Parameter, Pipeline
from common.queue.enqueueing import QueueingRequests
from common.queue.filling import SlotFiller
from common.queue.freed_slots import FreedSlots
from common.queue.run_queue import RunQueue
from common.runs.beginning import RunAdmission
from common.runs.cancelling import flag
from common.runs.events import Announcer, AnnouncingRuns
from common.runs.level_messages import LevelMessage
from common.runs.ports import ConfigText
from common.runs.quotas import Limits
from common.runs.run import Run, RunStatus, Trigger, TriggerType
from common.runs.starting import RunRequest, RunService, StartedRun
from common.runs.sweeping import Swept
from tests.fakes.clock import VirtualClock
from tests.fakes.events import MemoryEvents
from tests.fakes.jobs import MemoryJobs, nowhere
from tests.fakes.runs import MemoryLevels, MemoryProgress, MemoryRuns, MemoryTenant
from tests.fakes.schedules import (
    MemoryBulkLevels,
    MemoryFirings,
    MemoryQueue,
    MemoryRefusals,
    MemoryTenantAdmissions,
    MemoryTimetable,
)
from tests.fakes.seals import a_seal
from tests.unit.runs.examples import a_pipeline
from tests.unit.schedules.examples import a_scheduled_config

LIMITS = Limits(daily=100, monthly=1000, concurrent=3)
MINUTE = timedelta(minutes=1)


def one_after_another[T, R](work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    return [work(item) for item in items]


class NoDeadLetters:
    """`DeadLetterHandler` with nothing to handle."""

    def handle(self) -> int:
        return 0


class NoSweeper:
    """`Sweeper` that finds nothing."""

    def sweep(self) -> Swept:
        return Swept(continued=0, tickets_closed=0)


class NoUsage:
    """`UsageLog` that keeps nothing."""

    def roll_up(self, changed_since: datetime, now: datetime) -> None:
        """Do nothing."""


class Platform:
    """Tenants with configs; runs begin, and a test ends them."""

    def __init__(self, at: Callable[[str], None] = nowhere, *, budget: timedelta = 3 * MINUTE) -> None:
        self.clock = VirtualClock()
        self.jobs = MemoryJobs(self.clock, at)
        self.rows = MemoryRuns(at)
        self.levels = MemoryLevels(at)
        self.firings = MemoryFirings(at)
        self.timetable = MemoryTimetable(self.firings)
        self.queue_rows = MemoryQueue(at)
        self.all_admissions = MemoryTenantAdmissions(self.rows)
        self.events = MemoryEvents()
        self.refused = MemoryRefusals(self.firings, self.queue_rows, self.rows)
        self.cancelled: list[str] = []
        self.broken: set[str] = set()
        self.compiled: list[str] = []
        self.queue = RunQueue(
            store=self.queue_rows,
            firings=self.firings,
            claims=self.jobs,
            announcer=Announcer(publisher=self.events),
            clock=self.clock,
        )
        self.run_admission = RunAdmission(
            facts=self.rows,
            store=AnnouncingRuns(store=self.rows, announcer=Announcer(publisher=self.events)),
            claims=self.jobs,
            levels=self.levels,
            clock=self.clock,
        )
        self.filler = SlotFiller(
            store=self.all_admissions,
            queue=self.queue,
            run_admission=self.run_admission,
            claims=self.jobs,
            levels=MemoryBulkLevels(self.levels),
            compile=self.compile,
            cancel=self.cancel,
            clock=self.clock,
            at_once=one_after_another,
        )
        self.dispatcher = Dispatcher(
            sweeper=NoSweeper(),  # type: ignore[arg-type]
            dead_letters=NoDeadLetters(),  # type: ignore[arg-type]
            timetable=self.timetable,
            queue=self.queue,
            filler=self.filler,
            usage=NoUsage(),
            firings=self.firings,
            clock=self.clock,
            budget=budget,
        )
        self.freed = FreedSlots(queue=self.queue, filler=self.filler, clock=self.clock)

    def add_tenant(self, tenant_id: str = "acme", limits: Limits = LIMITS) -> None:
        """Have a tenant with the config `daily`."""
        config = ConfigText(config_id="daily", version=1, text="pipeline: {name: Daily}")
        self.rows.tenants[tenant_id] = MemoryTenant(limits=limits, configs={"daily": config})

    def schedule(self, cron: str, tenant_id: str = "acme", config_id: str = "daily", **more: object) -> None:
        """Give a tenant a config that is scheduled."""
        configs = self.rows.tenants[tenant_id].configs
        configs[config_id] = ConfigText(config_id=config_id, version=1, text="pipeline: {name: Daily}")
        changes = {"tenant_id": tenant_id, "config_id": config_id} | more
        catch_up = str(changes.pop("catch_up", "none"))
        self.timetable.add(a_scheduled_config(cron, catch_up, **changes))

    def compile(self, tenant_id: str, config: ConfigText) -> Pipeline:
        self.compiled.append(config.config_id)
        if config.config_id in self.broken:
            raise InvalidInput([], "a rule was added since")
        token = Parameter(name="token", type="STRING", secret=True)
        return a_pipeline(tenant_id=tenant_id, config_id=config.config_id, parameters=(token,))

    def request(
        self, key: str, tenant_id: str = "acme", *, may_wait: bool = True, **parameters: object
    ) -> StartedRun:
        """Ask for a run that may wait."""
        run_service = RunService(
            enqueuer=QueueingRequests(queue=self.queue, clock=self.clock),
            run_admission=self.run_admission,
            reader=MemoryProgress(self.rows),
            compile=self.compile,
            clock=self.clock,
            seal=a_seal(),
        )
        return run_service.start(
            RunRequest(
                tenant_id=tenant_id,
                config_id="daily",
                trigger=Trigger(type=TriggerType.API, by="api_user"),
                parameters=parameters,
                idempotency_key=key,
                may_wait=may_wait,
            )
        )

    def cancel(self, tenant_id: str, run_id: str) -> None:
        """Note that a run is to stop, as a canceller does; a test ends it."""
        flag(self.jobs, tenant_id, run_id)
        self.cancelled.append(run_id)

    def refusals(self, tenant_id: str = "acme") -> list[tuple[str, int, str]]:
        """List the refusals of a tenant's firings: state, count, reason."""
        found = self.refused.read_refusals(tenant_id, self.clock() - timedelta(days=9))
        return [(one.status.value, one.firings, one.error) for one in found]

    def end(self, run_id: str) -> None:
        """End a run, as its last level's worker does."""
        run = next(row.run for row in self.rows.run_rows if row.run.run_id == run_id)
        self.run_admission.store.append_run(run, RunStatus.COMPLETED, self.clock())
        self.freed(run)

    def runs(self) -> dict[str, Run]:
        """Return the runs that have rows."""
        return {run_id: row.run for run_id, row in self.rows.current().items()}

    def running(self, tenant_id: str = "acme") -> list[str]:
        """List the runs of a tenant that have not ended, oldest ticket first."""
        rows = [row for row in self.rows.current().values() if not row.status.is_terminal]
        mine = [row.run for row in rows if row.run.tenant_id == tenant_id]
        return [run.run_id for run in sorted(mine, key=lambda run: run.ticket)]

    def messages(self) -> list[LevelMessage]:
        """Take all messages that were sent."""
        return [self.levels.take() for _ in range(len(self.levels.sent))]

    def states(self) -> dict[str, list[str]]:
        """List the states that each firing's rows went through."""
        found: dict[str, list[str]] = {}
        for row in self.firings.rows:
            found.setdefault(row.result.waiting.run_id, []).append(row.result.status.value)
        return found
