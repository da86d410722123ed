"""Five hundred tenants for a day in virtual time: what one of them does delays none of the others."""

from datetime import timedelta
from heapq import heappop, heappush
from statistics import mean

from common.runs.quotas import Limits
from tests.fakes.clock import START
from tests.unit.schedules.platform import MINUTE, Platform

TENANTS = 500
TAKES = timedelta(minutes=7)
HOURS = 1


def waits_of_the_others(*, is_noisy: bool) -> list[timedelta]:
    """Return how long after its time each run of the quiet tenants began."""
    platform = Platform()
    limits = Limits(daily=10_000, monthly=100_000, concurrent=3)
    for number in range(TENANTS):
        tenant_id = f"tenant_{number:03}"
        platform.add_tenant(tenant_id, limits)
        # Two runs at once and a third while they last: the quiet ones use their slots as well.
        platform.schedule(f"{number % 20} * * * *", tenant_id, config_id="first")
        platform.schedule(f"{number % 20} * * * *", tenant_id, config_id="second")
    if is_noisy:
        platform.add_tenant("noisy", limits)
        for number in range(100):
            platform.schedule("*/30 * * * *", "noisy", config_id=f"burst-{number}")
    _pass_time(platform)
    runs = [run for run in platform.runs().values() if run.tenant_id != "noisy"]
    assert len(runs) == 2 * TENANTS * HOURS
    minutes = {f"tenant_{number:03}": number % 20 for number in range(TENANTS)}
    return [run.started_at - START - minutes[run.tenant_id] * MINUTE for run in runs]


def _pass_time(platform: Platform) -> None:
    ends: list[tuple[float, str]] = []
    known: set[str] = set()
    for minute in range(HOURS * 60):
        while ends and ends[0][0] <= minute:
            platform.end(heappop(ends)[1])
        platform.dispatcher.tick()
        for message in platform.messages():
            if message.run.run_id not in known:
                known.add(message.run.run_id)
                heappush(ends, (minute + TAKES / MINUTE, message.run.run_id))
        platform.clock.advance(MINUTE)


def test_one_noisy_tenant_among_five_hundred_leaves_the_others_waiting_times_unchanged() -> None:
    quiet, noisy = (waits_of_the_others(is_noisy=is_noisy) for is_noisy in (False, True))
    assert sorted(noisy) == sorted(quiet)
    assert mean(wait / MINUTE for wait in noisy) < 1
