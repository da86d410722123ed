"""When a failed firing is tried again."""

from datetime import datetime, timedelta

from local.scheduler.definitions import Job


def backoff(job: Job, failures: int) -> timedelta:
    """Return the pause after so many failures: doubled `max_doublings` times, then grown evenly."""
    config = job.retry_config
    shortest: timedelta = config.min_backoff_duration.ToTimedelta()
    longest: timedelta = config.max_backoff_duration.ToTimedelta()
    doubled = min(failures - 1, config.max_doublings)
    evenly = failures - 1 - doubled
    pause: timedelta = shortest * 2**doubled + evenly * shortest * 2**config.max_doublings
    return min(pause, longest)


def retry_at(job: Job, failures: int, first_attempt_at: datetime, now: datetime) -> datetime | None:
    """Return when to try again after `failures` of a firing; None when that was the last attempt.

    Both limits end the retries when both are set, as Cloud Scheduler has it: the count and the duration.
    """
    config = job.retry_config
    if not config.retry_count:
        return None
    longest = config.max_retry_duration.ToTimedelta()
    moment = now + backoff(job, failures)
    is_counted_out = failures > config.retry_count
    is_timed_out = not longest or moment - first_attempt_at > longest
    return None if is_counted_out and is_timed_out else moment
