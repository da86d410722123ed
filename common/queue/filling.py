"""Filling the slots of plans: waiting runs in portions, each read at once and written at once.

What says that a firing has been seen to is written last. So a filler that dies on the way leaves it to the
next, who finds each ticket, row and message as far as it got: run IDs follow from the firings.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import batched, groupby, takewhile, zip_longest
from typing import Protocol

from common.at_once import AtOnce, InThreads
from common.claims import ClaimJobs
from common.errors import ConvergenceError
from common.pipelines.pipeline import Pipeline
from common.queue.run_queue import RunQueue
from common.queue.tenant_admissions import ANOTHERS_TURN, TenantAdmissionFacts, TenantAdmissions
from common.queue.waiting import AdmissionResult, WaitingRun
from common.runs.beginning import RunAdmission
from common.runs.level_messages import LevelMessage
from common.runs.ports import ConfigText
from common.runs.run import Run, RunStatus
from common.runs.tickets import ADMISSION_LIFETIME
from common.times import Clock

logger = logging.getLogger(__name__)

PORTION = 1000
"""Runs that are decided between one read and one write: the calls around the claims are a minor part."""
SHARE = 50
"""Runs of one tenant in a portion: a burst of one waits behind the first runs of all others."""
MAX_PORTION = ADMISSION_LIFETIME / 2
"""Time to take tickets; then there is as much again to write."""
LATEST_ROW = ADMISSION_LIFETIME - ANOTHERS_TURN
"""Until when a ticket gets its row: that must be readable before others take the ticket for orphaned."""
TENANTS_IN_THREADS = InThreads(max_threads=64)
"""As many claims under way as BigQuery lets one account start in a second, up to 0.7 seconds each."""


class TenantAdmissionStore(Protocol):
    """Where the facts of admissions are read, and what came of them is written, many at a time."""

    def read_tenant_admissions(
        self, tenant_ids: Collection[str], run_ids: Collection[str], now: datetime
    ) -> Mapping[str, TenantAdmissionFacts]:
        """Return the ledgers of active tenants with those of the asked runs that have rows, in one query."""

    def read_configs(
        self, keys: Collection[tuple[str, str, int]]
    ) -> Mapping[tuple[str, str, int], ConfigText]:
        """Return versions of configs (tenant, config, version) that are not deleted, in one query."""

    def append_begun(self, runs: Sequence[Run], now: datetime) -> None:
        """Append the PENDING rows of runs, all in one call."""


class LevelsPublisher(Protocol):
    """Sends level messages, many at a time."""

    def publish_levels(self, messages: Sequence[LevelMessage]) -> None:
        """Return once all messages are durable; Unavailable where that is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """How many runs have begun, were put into the queue, and have ended without having begun."""

    begun: int = 0
    queued: int = 0
    refused: int = 0
    left: int = 0
    """Runs for which time was too short."""

    def __add__(self, other: "Filled") -> "Filled":
        return Filled(
            begun=self.begun + other.begun,
            queued=self.queued + other.queued,
            refused=self.refused + other.refused,
            left=self.left + other.left,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotFiller:
    """Gives tickets to waiting runs. Two fillers at once, or one after another that died, do no harm."""

    store: TenantAdmissionStore
    queue: RunQueue
    run_admission: RunAdmission
    claims: ClaimJobs
    levels: LevelsPublisher
    compile: Callable[[str, ConfigText], Pipeline]
    cancel: Callable[[str, str], object]
    """Stops a run of a tenant that is under way."""
    clock: Clock
    at_once: AtOnce = TENANTS_IN_THREADS

    def fill(self, waiting: Sequence[WaitingRun], until: datetime, ended: Run | None = None) -> Filled:
        """Admit or refuse waiting runs until time is up. `ended` has just ended: its slot is free.

        An end takes over no run from a filler that died with the ticket. Ends can follow each other faster
        than rows become readable: each would begin such a run again, and so make another end.
        """
        filled = Filled()
        stopped: set[str] = set()
        ahead: dict[str, Counter[str]] = defaultdict(Counter)
        for portion in portions(waiting):
            # A tenant whose admissions have stopped keeps its order: nobody overtakes who was left.
            going = [one for one in portion if one.tenant_id not in stopped]
            result = self._resolved(going, until, ended, ahead) if self.clock() < until else []
            done = {one.waiting.run_id for one in result}
            stopped |= {one.tenant_id for one in going if one.run_id not in done}
            filled += _counted(result, len(portion))
        return filled

    def _resolved(
        self,
        portion: Sequence[WaitingRun],
        until: datetime,
        ended: Run | None,
        ahead: Mapping[str, Counter[str]],
    ) -> Sequence[AdmissionResult]:
        try:
            result = self._resolve(portion, min(until, self.clock() + MAX_PORTION), ended, ahead)
            self._write([one for one in result if not _waits_on(one)], self.clock())
        except ConvergenceError:
            logger.exception("portion left for the next minute")
            return []
        return result

    def _resolve(
        self,
        portion: Sequence[WaitingRun],
        until: datetime,
        ended: Run | None,
        ahead: Mapping[str, Counter[str]],
    ) -> list[AdmissionResult]:
        if not portion:
            return []
        read_at = self.clock()
        facts = self.store.read_tenant_admissions(
            {waiting.tenant_id for waiting in portion},
            {waiting.run_id for waiting in portion} | ({ended.run_id} if ended else set()),
            read_at,
        )
        configs = self.store.read_configs({waiting.config_key for waiting in portion})
        all_admissions = [
            (self._tenant_admissions(facts[tenant_id], configs, ended, ahead[tenant_id]), list(runs))
            for tenant_id, runs in groupby(portion, key=lambda waiting: waiting.tenant_id)
            if tenant_id in facts
        ]
        found = (
            self.at_once(
                lambda tenant_admissions: tenant_admissions[0].resolve(tenant_admissions[1], until),
                all_admissions,
            )
            if all_admissions
            else []
        )
        now = self.clock()
        return [
            one
            for tenant_admissions in found
            for one in takewhile(lambda one: self._is_in_time(one, read_at, now), tenant_admissions)
        ]

    def _tenant_admissions(
        self,
        facts: TenantAdmissionFacts,
        configs: Mapping[tuple[str, str, int], ConfigText],
        ended: Run | None,
        ahead: Counter[str],
    ) -> TenantAdmissions:
        return TenantAdmissions(
            facts=facts.without(ended) if ended else facts,
            configs=configs,
            run_admission=self.run_admission,
            claims=self.claims,
            compile=self.compile,
            clock=self.clock,
            takes_over=ended is None,
            cancel=self.cancel,
            ahead=ahead,
        )

    def _is_in_time(self, result: AdmissionResult, read_at: datetime, now: datetime) -> bool:
        """Tell whether it holds: a refusal does where nobody can begin the run before it is read.

        Another filler may have begun it since the read, and one of the next day, which has a limit and a turn
        of its own, may do so right after midnight.
        """
        if result.run:
            return now - result.run.started_at < LATEST_ROW
        is_alone = now - read_at < ANOTHERS_TURN and (now + ANOTHERS_TURN).date() == now.date()
        return result.status is not RunStatus.FAILED or is_alone

    def _write(self, result: Sequence[AdmissionResult], now: datetime) -> None:
        messages = [
            LevelMessage(run=one.run, pipeline=one.pipeline, level=1)
            for one in result
            if one.run and one.pipeline
        ]
        if messages:
            self.store.append_begun([message.run for message in messages], now)
            self.levels.publish_levels(messages)
        self.queue.record(result, now)


def portions(waiting: Sequence[WaitingRun]) -> Iterator[list[WaitingRun]]:
    """Divide waiting runs, so that each tenant's first ones come before any tenant's later ones.

    A portion has each tenant's runs side by side; who has waited longest comes first.
    """
    by_tenant = [
        list(batched(sorted(runs, key=lambda one: one.turn), SHARE, strict=False))
        for runs in _by_tenant(waiting)
    ]
    for round_of_shares in zip_longest(*by_tenant, fillvalue=()):
        runs: list[WaitingRun] = []
        for share in round_of_shares:
            if runs and len(runs) + len(share) > PORTION:
                yield runs
                runs = []
            runs.extend(share)
        if runs:
            yield runs


def _by_tenant(waiting: Sequence[WaitingRun]) -> list[list[WaitingRun]]:
    """Group by tenant, each run once: one that is due is in the queue already where somebody died."""
    due = {one.run_id for one in waiting if one.is_due}
    once = {one.run_id: one for one in sorted(waiting, key=lambda one: one.is_queued)}
    merged = (replace(one, is_due=one.run_id in due) for one in once.values())
    ordered = sorted(merged, key=lambda one: one.tenant_id)
    all_admissions = [list(runs) for _, runs in groupby(ordered, key=lambda one: one.tenant_id)]
    return sorted(all_admissions, key=lambda runs: min(one.due_at for one in runs))


def _is_queued(result: AdmissionResult) -> bool:
    return result.status is RunStatus.QUEUED


def _waits_on(result: AdmissionResult) -> bool:
    return _is_queued(result) and result.waiting.is_queued and not result.waiting.is_due


def _counted(result: Sequence[AdmissionResult], count: int) -> Filled:
    states = Counter(one.status for one in result if not _waits_on(one))
    return Filled(
        begun=states[RunStatus.PENDING],
        queued=states[RunStatus.QUEUED],
        refused=states[RunStatus.FAILED] + states[RunStatus.CANCELLED],
        left=count - len(result),
    )
