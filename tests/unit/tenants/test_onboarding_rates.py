"""Onboardings are limited over all instances, by source and in all."""

import threading
from collections import Counter
from datetime import timedelta
from itertools import count

import pytest

from common.errors import RateLimited
from common.tenants.onboarding_limits import OnboardingRates
from tests.fakes.clock import VirtualClock
from tests.fakes.jobs import MemoryJobs


class Instances:
    """Any number of instances over one BigQuery."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.jobs = MemoryJobs(self.clock)
        self._ids = count(1)

    def one(self, per_source: int = 3, total: int = 5) -> OnboardingRates:
        return OnboardingRates(
            claims=self.jobs,
            clock=self.clock,
            new_id=lambda: f"id-{next(self._ids)}",
            per_source=per_source,
            total=total,
        )


@pytest.fixture
def instances() -> Instances:
    return Instances()


def test_a_source_has_so_many_an_hour_over_all_instances(instances: Instances) -> None:
    for _ in range(3):
        instances.one().take("203.0.113.7")
    with pytest.raises(RateLimited) as refused:
        instances.one().take("203.0.113.7")
    assert 0 < refused.value.retry_after_seconds <= 3600
    instances.one().take("203.0.113.8")
    instances.clock.sleep(timedelta(hours=1).total_seconds())
    instances.one().take("203.0.113.7")


def test_all_sources_together_have_so_many_an_hour(instances: Instances) -> None:
    for number in range(5):
        instances.one().take(f"203.0.113.{number}")
    with pytest.raises(RateLimited, match="to this platform"):
        instances.one().take("203.0.113.99")


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8, 9, 20])
def test_slots_are_taken_one_after_the_other_up_to_any_limit(instances: Instances, limit: int) -> None:
    for number in range(1, limit + 1):
        instances.one(per_source=limit, total=100).take("203.0.113.7")
        taken = [job_id for job_id in instances.jobs.claims if "-rate-from-" in job_id]
        assert sorted(int(job_id.rpartition("-")[2]) for job_id in taken) == list(range(1, number + 1))
    with pytest.raises(RateLimited, match="from this address"):
        instances.one(per_source=limit, total=100).take("203.0.113.7")


def test_in_a_quiet_hour_a_slot_is_found_at_the_first_look(instances: Instances) -> None:
    looks: list[str] = []
    instances.jobs.at = looks.append
    instances.one(per_source=1000, total=1000).take("203.0.113.7")
    assert len([look for look in looks if look.startswith("find claim")]) == 2


def test_a_source_without_slots_takes_none_of_the_others(instances: Instances) -> None:
    for _ in range(3):
        instances.one().take("203.0.113.7")
    for _ in range(50):
        with pytest.raises(RateLimited):
            instances.one().take("203.0.113.7")
    instances.one().take("203.0.113.8")
    instances.one().take("203.0.113.9")


def test_an_ipv6_network_is_one_source(instances: Instances) -> None:
    for number in range(3):
        instances.one().take(f"2001:db8:1:2::{number}")
    with pytest.raises(RateLimited, match="from this address"):
        instances.one().take("2001:db8:1:2:ffff::1")
    instances.one().take("2001:db8:1:3::1")


def test_no_address_is_in_a_job_id(instances: Instances) -> None:
    instances.one().take("203.0.113.7")
    assert not [job_id for job_id in instances.jobs.claims if "203" in job_id.rpartition("from-")[0]]
    assert not [job_id for job_id in instances.jobs.claims if "203.0" in job_id or "203-0" in job_id]


def test_many_at_once_take_exactly_as_many_as_there_are(instances: Instances) -> None:
    outcomes: Counter[str] = Counter()

    def ask(number: int) -> None:
        try:
            instances.one(per_source=100, total=40).take(f"203.0.113.{number}")
        except RateLimited:
            outcomes["refused"] += 1
        else:
            outcomes["taken"] += 1

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes["taken"] == 40
