"""The rate limiter: what many threads begin, one after another."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from common.queue.filling import TENANTS_IN_THREADS
from common.warehouse.clients import MAX_CONNECTIONS, RateLimiter
from common.warehouse.jobs import ClaimedJobs

REQUESTS_PER_SECOND = 100
"""What BigQuery takes of one account, of each method."""


@dataclass(slots=True)
class Time:
    """A clock that stands still, and how long each has slept by it."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def limiter(self, per_second: float) -> RateLimiter:
        return RateLimiter(per_second=per_second, clock=lambda: self.now, sleep=self.slept.append)


def test_the_first_goes_at_once_and_each_other_after_the_one_before() -> None:
    time = Time()
    limiter = time.limiter(4)
    for _ in range(4):
        limiter.acquire()
    assert time.slept == [0.25, 0.5, 0.75]


def test_whoever_comes_late_waits_for_nobody_and_idle_time_is_not_made_up_for() -> None:
    time = Time()
    limiter = time.limiter(4)
    limiter.acquire()
    time.now += 60
    limiter.acquire()
    limiter.acquire()
    assert time.slept == [0.25]


def test_threads_at_once_have_a_turn_each() -> None:
    time = Time()
    limiter = time.limiter(4)
    with ThreadPoolExecutor(16) as pool:
        for _ in range(100):
            pool.submit(limiter.acquire)
    assert sorted(time.slept) == [0.25 * number for number in range(1, 100)]


def test_claims_stay_below_what_bigquery_takes() -> None:
    client = bigquery.Client(project="p", credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]
    assert ClaimedJobs(client=client, location="US").limiter.per_second < REQUESTS_PER_SECOND


def test_each_tenant_at_once_has_a_connection() -> None:
    assert TENANTS_IN_THREADS.max_threads <= MAX_CONNECTIONS
