from datetime import UTC, datetime, timedelta

import pytest

from local.scheduler.definitions import Job, new_job
from local.scheduler.retries import backoff, retry_at

START = datetime(2026, 1, 1, tzinfo=UTC)


def job(retry_count: int = 5, longest_seconds: int = 300, retry_seconds: int = 0) -> Job:
    made = new_job()
    made.retry_config.retry_count = retry_count
    made.retry_config.min_backoff_duration.seconds = 10
    made.retry_config.max_backoff_duration.seconds = longest_seconds
    made.retry_config.max_retry_duration.seconds = retry_seconds
    made.retry_config.max_doublings = 3
    return made


def test_pauses_double_then_grow_evenly_then_stay() -> None:
    pauses = [backoff(job(), failures).total_seconds() for failures in range(1, 9)]
    assert pauses == [10, 20, 40, 80, 160, 240, 300, 300]


@pytest.mark.parametrize(("failures", "is_retried"), [(1, True), (2, True), (3, False)])
def test_the_count_ends_the_retries(failures: int, is_retried: bool) -> None:
    assert (retry_at(job(retry_count=2), failures, START, START) is not None) == is_retried


def test_without_a_count_nothing_is_retried() -> None:
    assert retry_at(job(retry_count=0, retry_seconds=600), 1, START, START) is None


def test_with_both_limits_both_must_be_reached() -> None:
    limited = job(retry_count=1, retry_seconds=100)
    assert retry_at(limited, 2, START, START) == START + timedelta(seconds=20)
    assert retry_at(limited, 2, START, START + timedelta(seconds=90)) is None
