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

from common.backfills.intervals import IntervalStep
from common.backfills.requests import BackfillRequest
from common.errors import ConvergenceError
from common.messages.verdicts import Verdict, verdict
from common.pipelines.pipeline import Pipeline
from common.queue.stopping import RunStopper
from common.runs.beginning import RunAdmission
from common.runs.cancelling import RunCanceller, flag
from common.runs.cancelling import job_id as cancel_id
from common.runs.level_messages import LevelMessage
from common.runs.levels import LevelWorker
from common.runs.ports import ConfigText
from common.runs.retrying import RetryRequest, RunRetrier
from common.runs.run import Trigger, TriggerType
from common.runs.starting import RunRequest, RunService
from common.runs.sweeping import Sweeper
from common.times import to_rfc3339
from local.pubsub.windows import SlowStart
from tests.fakes.jobs import MemoryJobs
from tests.fakes.runs import MemoryLevels, MemoryProgress, MemoryRuns
from tests.simulation.kinds import uploads
from tests.simulation.publications import Publications
from tests.simulation.pushes import Pushes
from tests.simulation.stage import Killed, Odds, Stage
from tests.simulation.tables import LogTables
from tests.simulation.tenants import FILLS_BACK, START, TROUBLED, prepare_tenants
from tests.simulation.troubles import Troubles
from tests.simulation.waiting import WaitingRoom

LONGEST = timedelta(hours=6)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
TRIGGER = Trigger(type=TriggerType.API, by="api_user")
BUDGET = timedelta(seconds=60)
CALM = Odds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A level message, and the actor that sent it."""

    message: LevelMessage
    sender: str
    at: datetime
    had_row: bool
    """Whether its run had a row."""
    lacked: frozenset[str]
    """The steps of earlier levels that had no row which says COMPLETED, or what the message says of them."""
    is_to_stop: bool
    """Whether its run had been flagged: whoever does that has its level look, a delivery too."""

    @property
    def is_begun_by_a_filler(self) -> bool:
        """Tell whether a filler of free slots has begun the run by it.

        Requests and retries are none, nor is who asks for what follows on another run.
        """
        is_first = self.message.level == 1 and self.message.continuation == 0
        is_asked_for = self.message.run.trigger.type is TriggerType.AFTER
        return is_first and not is_asked_for and not self.sender.startswith(("request", "retry"))

    @property
    def is_handover(self) -> bool:
        """Tell whether a delivery hands its level over; sweepers and cancellers send continuations too."""
        return self.message.continuation > 0 and "delivery" in self.sender and not self.is_to_stop


@dataclass
class World:
    """One seed's world; a protection is removed by replacing a part before it runs."""

    seed: int
    has_files: bool = False
    """Whether some steps are of other kinds than queries, and files come in."""
    random: Random = field(init=False)
    refusals: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.stage = Stage(self.random, START)
        self.troubles = Troubles.drawn(self.random)
        self._stalls = Random(f"who stalls of {self.seed}")
        self.jobs = MemoryJobs(self.stage.clock, self._at_job, self.stage.sleep)
        self.tables = LogTables(self.stage, Random(f"who looked when of {self.seed}"))
        self.rows = MemoryRuns(self.stage.at, self.lag, self.stage.clock, self.tables.require)
        self.levels = MemoryLevels(self.stage.at)
        self.progress: Any = MemoryProgress(self.rows)
        self.pipelines: dict[str, Pipeline] = {}
        self.sent: list[Sent] = []
        self.publications = Publications()
        self.takers: dict[str, str] = {}
        """Who took each ticket, by the ID of its claim."""
        self.waiting = WaitingRoom(self)
        self.pushes = Pushes(
            window=SlowStart(size=Random(f"the window of {self.seed}").choice([1, 2, 5])),
            clock=self.stage.clock,
            enter=lambda name, work: self._enter(name, work, timedelta()),
        )
        self.has_sweeper = True
        self._delivered = 0
        self._minutes = 0
        self._still_minutes = 0
        self._before = (0, 0)
        prepare_tenants(self)

    def run(self) -> "World":
        """Let everything happen: a troubled while first, then a calm in which it must come right."""
        self._schedule_requests()
        if self.random.random() < 0.8:
            self._schedule_backfill()
        if self.has_sweeper:
            self._enter_minute()
        if self.troubles.streaming_delay:
            remake = partial(self.tables.remake, self.troubles.streaming_delay)
            self._enter("operator", remake, self.random.randint(0, 600) * SECOND)
        for delay, uri in uploads(Random(f"what comes in of {self.seed}"), self):
            self._enter("uploader", partial(self._upload, uri), delay)
        self.levels.on_sent = self._deliver
        self.stage.run(START + LONGEST)
        self.jobs.resolve_all()
        return self

    @property
    def held(self) -> dict[str, int | None]:
        """What each run held of budgets when it was admitted."""
        return {row.run.run_id: row.run.bytes_held for row in self.rows.run_rows if row.is_open}

    def compile(self, tenant_id: str, config: ConfigText) -> Pipeline:
        """Return the pipeline of a config, as the compiler would."""
        return self.pipelines[f"{tenant_id}/{config.config_id}"]

    def worker(self) -> LevelWorker:
        """Make a worker as the function run_level has it."""
        return LevelWorker(
            store=self.rows,
            checks=self.rows,
            earlier=self.rows,
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

    def run_admission(self) -> RunAdmission:
        """Make what admits runs."""
        return RunAdmission(
            facts=self.rows, store=self.rows, claims=self.jobs, levels=self.levels, clock=self.stage.clock
        )

    def run_service(self) -> RunService:
        """Make what makes runs out of requests."""
        return RunService(
            enqueuer=self.waiting.line(),
            run_admission=self.run_admission(),
            reader=self.progress,
            compile=self.compile,
            clock=self.stage.clock,
        )

    def stopper(self) -> RunStopper:
        """Make what cancels runs."""
        canceller = RunCanceller(
            reader=self.progress,
            claims=self.jobs,
            identities=self.jobs,
            levels=self.levels,
            clock=self.stage.clock,
        )
        return RunStopper(canceller=canceller, queue=self.waiting.queue)

    def stall(self) -> None:
        """Hold a filler up between its tickets and their rows, now and then: claims wait for BigQuery."""
        if self._stalls.random() < self.troubles.stalling and self.stage.now < START + TROUBLED:
            self.stage.sleep(self._stalls.choice([60, 90, 110, 150, 150, 400]))

    def lag(self) -> timedelta:
        """Draw how long a row takes until it can be read."""
        return self.tables.lag(self.random.random() * self.troubles.lag)

    def _schedule_requests(self) -> None:
        dying = Random(f"those who die of {self.seed}")
        bursts = self.random.sample([0, 170, 180, 400], self.random.choice([1, 2, 4]))
        for number in range(self.random.choice([2, 4, 6, 9])):
            tenant_id = self.random.choice(["acme", "acme", "globex"])
            request = RunRequest(
                tenant_id=tenant_id,
                config_id=self.random.choice(["hourly", "nightly"]),
                trigger=TRIGGER,
                parameters={},
                idempotency_key=f"request-{number}",
                may_wait=self.random.random() < 0.5,
            )
            delay = (self.random.choice(bursts) + self.random.randint(0, 2)) * SECOND
            for repeat in range(self.random.choice([1, 1, 2, 3])):
                self._enter(f"request-{number}.{repeat}", self._request(request), delay + repeat * SECOND)
            if dying.random() < 0.2:
                self._enter(f"flag-{number}", self._flag(request), delay + dying.randint(1, 60) * SECOND)
            if self.random.random() < 0.3:
                self._enter(f"cancel-{number}", self._cancel(request), delay + self._later())
            if self.random.random() < 0.3:
                self._enter(f"retry-{number}", self._retry(request), delay + 10 * self._later())

    def _upload(self, uri: str) -> None:
        self.jobs.buckets.put(uri)

    def _schedule_backfill(self) -> None:
        """Ask for some days of the past, more than once, and perhaps give them up."""
        request = BackfillRequest(
            tenant_id=FILLS_BACK,
            config_id=self.random.choice(["hourly", "nightly"]),
            start=to_rfc3339(START - 40 * DAY),
            end=to_rfc3339(START - (40 - self.random.randint(2, 4)) * DAY),
            step=IntervalStep.DAY,
            max_parallel=self.random.choice([1, 1, 2]),
            parameters={},
        )
        backfills = self.waiting.backfills()
        for delay in self.random.sample([0, 2, 60, 240, 600], 2):
            ask = partial(backfills.start, request, is_dry_run=False)
            self._enter("backfill", partial(self._noted, ask), delay * SECOND)
        if self.random.random() < 0.2:
            cancel = partial(backfills.cancel, FILLS_BACK, request.backfill_id("UTC", 1))
            self._enter("cancel-backfill", partial(self._noted, cancel), self._later())

    def _request(self, request: RunRequest) -> Callable[[], None]:
        return lambda: self._noted(lambda: self.run_service().start(request))

    def _flag(self, request: RunRequest) -> Callable[[], None]:
        """Cancel as somebody does who dies with nothing but the flag set."""
        return lambda: self._noted(lambda: flag(self.jobs, request.tenant_id, request.run_id))

    def _cancel(self, request: RunRequest) -> Callable[[], None]:
        return lambda: self._noted(lambda: self.stopper().cancel(request.tenant_id, request.run_id))

    def _retry(self, request: RunRequest) -> Callable[[], None]:
        retrier = RunRetrier(
            run_admission=self.run_admission(),
            reader=self.progress,
            compile=self.compile,
            clock=self.stage.clock,
        )
        retry = RetryRequest(tenant_id=request.tenant_id, run_id=request.run_id, trigger=TRIGGER)
        return lambda: self._noted(lambda: retrier.retry(retry))

    def _noted(self, work: Callable[[], object]) -> None:
        try:
            work()
        except ConvergenceError as error:
            self.refusals.append(str(error))

    def _enter_minute(self) -> None:
        self._minutes += 1
        self._enter(f"minute-{self._minutes}", self._minute, MINUTE)

    def _minute(self) -> None:
        if not self._has_come_to_rest():
            self._enter_minute()
        if self.random.random() < 0.2:
            self._enter(f"same minute-{self._minutes}", self._same_minute, SECOND)
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
        self._noted(self.waiting.follow)
        self._noted(self.waiting.fill)

    def _same_minute(self) -> None:
        self._noted(self.waiting.follow)
        self._noted(self.waiting.fill)

    def _has_come_to_rest(self) -> bool:
        """Tell whether two calm minutes have gone by, nothing has come of them, and nothing is open.

        One minute leaves alone a ticket whose lifetime ends in it: the next one settles it.
        """
        before, self._before = self._before, (self.rows.calls, len(self.jobs.claims))
        now = self.stage.now
        was_kept = any(until > now - 2 * MINUTE for _, until in self.tables.kept())
        is_calm = now > START + TROUBLED + MINUTE and not was_kept
        # A claim alone is a run that somebody is beginning, or has died over.
        self._still_minutes = self._still_minutes + 1 if is_calm and self._before == before else 0
        is_open = self._open_runs() or self.waiting.waits() or self.stage.somebody_sleeps
        return self._still_minutes > 1 and not is_open

    def _open_runs(self) -> list[str]:
        return [run_id for run_id, row in self.rows.current().items() if not row.status.is_terminal]

    def _deliver(self, message: LevelMessage) -> None:
        self.sent.append(self._noted_message(message))
        for copy in range(2 if self.random.random() < self.troubles.duplicate else 1):
            self._delivered += 1
            delay = self.random.random() * self.troubles.late + copy * SECOND
            name = f"delivery-{self._delivered}"
            self._push(name, message, 1, delay)

    def _push(self, name: str, message: LevelMessage, attempt: int, delay: timedelta) -> None:
        delivery = self._delivery(name, message, attempt)
        self._enter(name, lambda: self.pushes.push(name, delivery), delay)

    def _at_job(self, point: str) -> None:
        self.publications.note(point)
        before, is_taken, claim = point.partition("after claim ")
        if is_taken and not before:
            self.takers[claim] = self.stage.acting_process
        self.stage.at(point)

    def _noted_message(self, message: LevelMessage) -> Sent:
        """Note of a level's first message what was written before it."""
        run_id, is_first = message.run.run_id, message.continuation == 0
        had_row, lacked = True, frozenset[str]()
        if is_first and message.level == 1:
            had_row = any(row.run.run_id == run_id for row in self.rows.run_rows)
        elif is_first:
            completed = (
                row
                for id_, row in self.rows.step_rows
                if id_ == run_id and row.status in {"COMPLETED", message.states.get(row.step_id)}
            )
            earlier = (step.id for level in message.pipeline.levels[: message.level - 1] for step in level)
            lacked = frozenset(earlier) - {row.step_id for row in completed}
        return Sent(
            message=message,
            sender=self.stage.acting_process,
            at=self.stage.now,
            had_row=had_row,
            lacked=lacked,
            is_to_stop=cancel_id(run_id) in self.jobs.claims,
        )

    def _delivery(self, name: str, message: LevelMessage, attempt: int) -> Callable[[], None]:
        def deliver() -> None:
            try:
                self.worker().carry_out(message)
            except (Killed, ConvergenceError) as error:
                is_lost = isinstance(error, ConvergenceError) and verdict(error) is Verdict.REJECT
                if attempt < 5 and not is_lost:  # then it is dead-lettered, and the sweeper has to notice
                    self._push(f"re{name}", message, attempt + 1, 10 * SECOND)
                self.pushes.end(is_acknowledged=is_lost)
                raise
            self.pushes.end(is_acknowledged=True)

        return deliver

    def _enter(self, name: str, work: Callable[[], None], delay: timedelta) -> None:
        is_calm = self.stage.now + delay > START + TROUBLED
        self.stage.enter(name, work, odds=CALM if is_calm else self.troubles.odds, delay=delay)

    def _later(self) -> timedelta:
        return self.random.randint(1, 60) * SECOND
