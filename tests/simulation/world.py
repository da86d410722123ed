"""The platform as a set of actors: requests, deliveries, cancels, retries and the dispatcher's minutes.

Tenants ask for runs and for backfills. The dispatcher sweeps, fires schedules and fills the queue; now and
then there are two of it at once.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any

from common.errors import ConvergenceError
from common.messages.verdicts import Verdict, verdict
from common.pipelines.pipeline import Parameter, Pipeline, Retry, Step
from common.runs.beginning import RunBeginner
from common.runs.cancelling import RunCanceller
from common.runs.level_messages import LevelMessage
from common.runs.levels import LevelWorker
from common.runs.ports import ConfigText
from common.runs.quotas import Limits
from common.runs.retrying import RunRetrier
from common.runs.run import Trigger, TriggerType
from common.runs.starting import RunRequest, RunStarter
from common.runs.sweeping import Sweeper
from common.schedules.backfilling import BackfillRequest
from common.schedules.firings import ScheduledConfig
from common.schedules.intervals import IntervalStep
from common.schedules.schedule import CatchUp, Schedule
from common.schedules.stopping import RunStopper
from tests.fakes.jobs import MemoryJobs, Outcome
from tests.fakes.runs import MemoryLevels, MemoryProgress, MemoryRuns, MemoryTenant
from tests.simulation.stage import Killed, Odds, Stage
from tests.simulation.waiting import WaitingRoom
from tests.unit.runs.examples import a_step

# Requests fall on both sides of a day and of a month.
START = datetime.fromisoformat("2026-03-31T23:57:00+00:00")
TROUBLED = timedelta(minutes=20)
LONGEST = timedelta(hours=6)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
FILLS_BACK = "initech"
TRIGGER = Trigger(type=TriggerType.API, by="api_user")
LIMITS = Limits(daily=4, monthly=6, concurrent=2)
BUDGET = timedelta(seconds=60)
SHAPES = [[1], [1, 1], [2, 1], [1, 2, 1]]
CALM = Odds()


@dataclass(slots=True, kw_only=True)
class Troubles:
    """What a seed does to its world."""

    odds: Odds
    duplicate: float
    late: timedelta
    lag: timedelta
    failing: float
    oversleeping: int

    @classmethod
    def drawn(cls, random: Random) -> "Troubles":
        """Draw a mild or a wild world."""
        wild = random.random()
        return cls(
            odds=Odds(kill=0.03 * wild, unavailable=0.03 * wild),
            duplicate=0.5 * wild,
            late=timedelta(seconds=random.choice([0, 5, 90])),
            lag=timedelta(seconds=random.choice([0, 2, 20])),
            failing=random.choice([0.0, 0.1, 0.4]),
            oversleeping=random.choice([1, 10, 10]),
        )


@dataclass
class World:
    """One seed's world; a protection is removed by replacing a part before it runs."""

    seed: int
    random: Random = field(init=False)
    refusals: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.stage = Stage(self.random, START)
        self.troubles = Troubles.drawn(self.random)
        self.jobs = MemoryJobs(self.stage.clock, self.stage.at)
        self.rows = MemoryRuns(self.stage.at, self.lag, self.stage.clock)
        self.levels = MemoryLevels(self.stage.at)
        self.progress: Any = MemoryProgress(self.rows)
        self.pipelines: dict[str, Pipeline] = {}
        self.waiting = WaitingRoom(self)
        self.has_sweeper = True
        self._delivered = 0
        self._rows_before = 0
        self._prepare_tenants()

    def run(self) -> "World":
        """Let everything happen: a troubled while first, then a calm in which it must come right."""
        self._schedule_requests()
        self._schedule_backfill()
        if self.has_sweeper:
            self._enter("minute", self._minute, MINUTE)
        self.levels.on_sent = self._deliver
        self.stage.run(START + LONGEST)
        self.jobs.settle_all()
        return self

    def compile(self, tenant_id: str, config: ConfigText) -> Pipeline:
        """Return the pipeline of a config, as the compiler would."""
        return self.pipelines[f"{tenant_id}/{config.config_id}"]

    def worker(self) -> LevelWorker:
        """Make a worker as the function run_level has it."""
        return LevelWorker(
            store=self.rows,
            claims=self.jobs,
            identities=self.jobs,
            levels=self.levels,
            guard=lambda job, dry_run: "",
            clock=self.stage.clock,
            sleep=lambda seconds: self.stage.sleep(seconds * self.troubles.oversleeping),
            budget=BUDGET,
            at_once=self.stage.at_once,
            after_end=self.waiting.freed_slots(),
        )

    def beginner(self) -> RunBeginner:
        """Make what admits runs."""
        return RunBeginner(store=self.rows, claims=self.jobs, levels=self.levels, clock=self.stage.clock)

    def stopper(self) -> RunStopper:
        """Make what cancels runs."""
        canceller = RunCanceller(
            reader=self.progress,
            claims=self.jobs,
            identities=self.jobs,
            levels=self.levels,
            compile=self.compile,
            clock=self.stage.clock,
        )
        return RunStopper(canceller=canceller, queue=self.waiting.queue)

    def _prepare_tenants(self) -> None:
        for tenant_id in ("acme", "globex", FILLS_BACK):
            self.rows.tenants[tenant_id] = MemoryTenant(limits=LIMITS)
            for config_id in ("hourly", "nightly"):
                pipeline = self._pipeline(tenant_id, config_id)
                self.pipelines[f"{tenant_id}/{config_id}"] = pipeline
                stored = ConfigText(config_id=config_id, version=1, text="pipeline: {name: Simulated}")
                self.rows.tenants[tenant_id].configs[config_id] = stored
                for step in pipeline.steps:
                    self.jobs.outcomes[step.target_table] = self._outcome()
            if tenant_id != FILLS_BACK:
                self._prepare_schedule(tenant_id)

    def _prepare_schedule(self, tenant_id: str) -> None:
        if self.random.random() < 0.5:
            cron = self.random.choice(["*/5 * * * *", "3,4,5 0 * * *", "58 23 * * *"])
            self.waiting.timetable.add(
                ScheduledConfig(
                    tenant_id=tenant_id,
                    config_id="hourly",
                    version=1,
                    priority=self.random.randint(4, 6),
                    schedule=Schedule(cron=cron, catch_up=CatchUp.ALL, end=START + TROUBLED),
                    since=START,
                )
            )

    def _pipeline(self, tenant_id: str, config_id: str) -> Pipeline:
        sizes = self.random.choice(SHAPES)
        levels = []
        for level, size in enumerate(sizes, start=1):
            names = [f"{tenant_id}_{config_id}_{level}_{number}" for number in range(size)]
            levels.append(tuple(self._step(name, level) for name in names))
        return Pipeline(
            tenant_id=tenant_id,
            config_id=config_id,
            version=1,
            name=config_id,
            levels=tuple(levels),
            parameters=(Parameter(name="date", type="DATE"),),
        )

    def _step(self, name: str, level: int) -> Step:
        return a_step(name, level, retry=Retry(attempts=2, backoff_seconds=self.random.choice([1, 200])))

    def _outcome(self) -> Outcome:
        errors = []
        if self.random.random() < self.troubles.failing:
            errors = [self.random.choice([("backendError", "try again"), ("invalidQuery", "no such column")])]
        return Outcome(takes=timedelta(seconds=self.random.choice([1, 20, 150])), errors=errors)

    def lag(self) -> timedelta:
        """Draw how long a row takes until it can be read."""
        return self.random.random() * self.troubles.lag

    def _schedule_requests(self) -> None:
        for number in range(self.random.randint(4, 9)):
            tenant_id = self.random.choice(["acme", "acme", "globex"])
            request = RunRequest(
                tenant_id=tenant_id,
                config_id=self.random.choice(["hourly", "nightly"]),
                trigger=TRIGGER,
                parameters={},
                idempotency_key=f"request-{number}",
                may_wait=self.random.random() < 0.5,
            )
            delay = (self.random.choice([0, 170, 180, 400]) + self.random.randint(0, 2)) * SECOND  # in bursts
            for repeat in range(self.random.choice([1, 1, 2, 3])):
                self._enter(f"request-{number}.{repeat}", self._request(request), delay + repeat * SECOND)
            if self.random.random() < 0.3:
                self._enter(f"cancel-{number}", self._cancel(request), delay + self._later())
            if self.random.random() < 0.3:
                self._enter(f"retry-{number}", self._retry(request), delay + 10 * self._later())

    def _schedule_backfill(self) -> None:
        """Ask for some days of the past, more than once, and perhaps give them up."""
        request = BackfillRequest(
            tenant_id=FILLS_BACK,
            config_id=self.random.choice(["hourly", "nightly"]),
            start=START - 40 * DAY,
            end=START - (40 - self.random.randint(2, 4)) * DAY,
            step=IntervalStep.DAY,
            max_parallel=self.random.choice([1, 1, 2]),
            parameters={},
        )
        backfills = self.waiting.backfills()
        for delay in self.random.sample([0, 2, 60, 240, 600], 2):
            ask = partial(backfills.start, request, is_dry_run=False)
            self._enter("backfill", partial(self._noted, ask), delay * SECOND)
        if self.random.random() < 0.2:
            cancel = partial(backfills.cancel, FILLS_BACK, request.backfill_id)
            self._enter("cancel-backfill", partial(self._noted, cancel), self._later())

    def _request(self, request: RunRequest) -> Callable[[], None]:
        starter = RunStarter(
            line=self.waiting.line(),
            beginner=self.beginner(),
            compile=self.compile,
            clock=self.stage.clock,
        )
        return lambda: self._noted(lambda: starter.start(request))

    def _cancel(self, request: RunRequest) -> Callable[[], None]:
        return lambda: self._noted(lambda: self.stopper().cancel(request.tenant_id, request.run_id))

    def _retry(self, request: RunRequest) -> Callable[[], None]:
        retrier = RunRetrier(
            beginner=self.beginner(), reader=self.progress, compile=self.compile, clock=self.stage.clock
        )
        return lambda: self._noted(lambda: retrier.retry(request.tenant_id, request.run_id, TRIGGER))

    def _noted(self, work: Callable[[], object]) -> None:
        try:
            work()
        except ConvergenceError as error:
            self.refusals.append(str(error))

    def _minute(self) -> None:
        if not self._has_come_to_rest():
            self._enter("minute", self._minute, MINUTE)
        if self.random.random() < 0.2:
            self._enter("same minute", lambda: self._noted(self.waiting.fill), SECOND)
        sweeper = Sweeper(
            reader=self.progress,
            store=self.rows,
            claims=self.jobs,
            levels=self.levels,
            compile=self.compile,
            clock=self.stage.clock,
            quiet_after=BUDGET + MINUTE,
        )
        self._noted(sweeper.sweep)
        self._noted(self.waiting.fill)

    def _has_come_to_rest(self) -> bool:
        """Tell whether a calm minute has gone by, nothing has come of it, and nothing is open."""
        rows_before, self._rows_before = self._rows_before, self.rows.calls
        is_calm = self.stage.now > START + TROUBLED + MINUTE
        return (
            is_calm and self.rows.calls == rows_before and not self._open_runs() and not self.waiting.waits()
        )

    def _open_runs(self) -> list[str]:
        return [run_id for run_id, row in self.rows.current().items() if not row.status.is_terminal]

    def _deliver(self, message: LevelMessage) -> None:
        for copy in range(2 if self.random.random() < self.troubles.duplicate else 1):
            self._delivered += 1
            delay = self.random.random() * self.troubles.late + copy * SECOND
            self._enter(f"delivery-{self._delivered}", self._delivery(message, 1), delay)

    def _delivery(self, message: LevelMessage, attempt: int) -> Callable[[], None]:
        def deliver() -> None:
            try:
                self.worker().carry_out(message)
            except (Killed, ConvergenceError) as error:
                is_lost = isinstance(error, ConvergenceError) and verdict(error) is Verdict.REJECT
                if attempt < 5 and not is_lost:  # then it is dead-lettered, and the sweeper has to notice
                    self._enter(f"redelivery-{attempt}", self._delivery(message, attempt + 1), 10 * SECOND)
                raise

        return deliver

    def _enter(self, name: str, work: Callable[[], None], delay: timedelta) -> None:
        is_calm = self.stage.now + delay > START + TROUBLED
        self.stage.enter(name, work, odds=CALM if is_calm else self.troubles.odds, delay=delay)

    def _later(self) -> timedelta:
        return self.random.randint(1, 60) * SECOND
