"""Faults on purpose: what BigQuery and the way to it do on a bad day, by script and by seed."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import partial

from local.bigquery.answers import MORE_ABOUT_QUOTAS, Answer, error_answer
from local.bigquery.calls import Call
from local.bigquery.failed_jobs import fail_job
from local.bigquery.job_ids import JobIds
from local.bigquery.proxy import ConnectionCut, Forward


class Effect(StrEnum):
    """What happens to a call; the first four are answered instead of done, with that reason."""

    RATE_LIMIT_EXCEEDED = "rateLimitExceeded"
    JOB_RATE_LIMIT_EXCEEDED = "jobRateLimitExceeded"
    INTERNAL_ERROR = "internalError"
    BACKEND_ERROR = "backendError"
    CUT_BEFORE = "cut before"
    """The connection ends and nothing was done."""
    CUT_AFTER = "cut after"
    """The connection ends when all is done: the answer is lost."""
    SLOW = "slow"
    """All is done, and the answer comes `seconds` later."""
    JOB_FAILS = "job fails"
    """The job is taken, and fails without any effect with `reason`."""


MESSAGES = {
    "rateLimitExceeded": "Exceeded rate limits: too many api requests per user per method for this "
    f"user_method. {MORE_ABOUT_QUOTAS}",
    "jobRateLimitExceeded": f"Job exceeded rate limits. {MORE_ABOUT_QUOTAS}",
    "internalError": "An internal error occurred and the request could not be completed.",
    "backendError": "Error encountered during execution. Retrying may solve the problem.",
}
STATUSES = {Effect.RATE_LIMIT_EXCEEDED: 429, Effect.JOB_RATE_LIMIT_EXCEEDED: 429}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault and the calls that it befalls.

    `method` is a pattern such as `jobs.insert` or `datasets.*`. Of the calls that match, only the `nth`
    (from 1) is befallen when it is given, else each with `probability`, and at most `times` of them.
    `status` overrides the HTTP status of an error: Google answers rateLimitExceeded with 403 as well as
    429.
    """

    effect: Effect
    method: str = "*"
    job_id_prefix: str = ""
    nth: int | None = None
    probability: float = 1.0
    times: int | None = None
    seconds: float = 0.0
    status: int | None = None
    reason: str = "backendError"

    def matches(self, call: Call) -> bool:
        """Tell whether the fault is about such a call."""
        if self.effect is Effect.JOB_FAILS and not call.starts_job:
            return False
        return fnmatchcase(call.method, self.method) and call.job_id.startswith(self.job_id_prefix)


class Faults:
    """The script of faults; empty at the start. The first fault that befalls a call is the only one.

    A draw depends on the seed, the fault, the call's name and how often it was made: not on the order in
    which concurrent calls arrive.
    """

    def __init__(self, job_ids: JobIds, seed: int = 0) -> None:
        self._job_ids = job_ids
        self._seed = seed
        self.happened: list[tuple[Effect, str, str]] = []
        """Effect, method and job ID of each fault that came to pass."""
        self._script: tuple[Fault, ...] = ()
        self._matched: Counter[int] = Counter()
        self._befallen: Counter[int] = Counter()
        self._made: Counter[tuple[str, ...]] = Counter()

    def script(self, faults: Sequence[Fault], seed: int | None = None) -> None:
        """Replace the script, and count calls from zero."""
        self.reset()
        self._script = tuple(faults)
        self._seed = self._seed if seed is None else seed

    def reset(self) -> None:
        """Let nothing go wrong any more."""
        self._script = ()
        for memory in (self.happened, self._matched, self._befallen, self._made):
            memory.clear()

    async def handle(self, call: Call, forward: Forward) -> Answer:
        """Let the call be befallen, or pass it on."""
        fault = self._choose(call)
        if fault is None:
            return await forward(call)
        self.happened.append((fault.effect, call.method, call.job_id))
        match fault.effect:
            case Effect.CUT_BEFORE:
                raise ConnectionCut
            case Effect.CUT_AFTER:
                await forward(call)
                raise ConnectionCut
            case Effect.SLOW:
                answer = await forward(call)
                await asyncio.sleep(fault.seconds)
                return answer
            case Effect.JOB_FAILS:
                return await self._job_ids.handle(call, partial(_fail, reason=fault.reason))
        return error_answer(fault.effect, MESSAGES[fault.effect], fault.status or STATUSES.get(fault.effect))

    def _choose(self, call: Call) -> Fault | None:
        name = (call.method, call.job_id, *call.table)
        self._made[name] += 1
        for index, fault in enumerate(self._script):
            if fault.matches(call) and self._is_due(index, fault, name):
                self._befallen[index] += 1
                return fault
        return None

    def _is_due(self, index: int, fault: Fault, name: tuple[str, ...]) -> bool:
        self._matched[index] += 1
        if fault.times is not None and self._befallen[index] >= fault.times:
            return False
        if fault.nth is not None:
            return self._matched[index] == fault.nth
        return self._draw(index, *name, self._made[name]) < fault.probability

    def _draw(self, *names: object) -> float:
        digest = hashlib.sha256(repr((self._seed, names)).encode()).digest()
        return int.from_bytes(digest[:8]) / 2**64


async def _fail(call: Call, reason: str) -> Answer:
    return await fail_job(call, reason, MESSAGES.get(reason, MESSAGES["backendError"]))
