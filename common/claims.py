"""Claims: locks that are job IDs.

BigQuery takes a job ID once per project and location. The caller that inserts the job holds the claim; every
other is told 409 and can read on the job's labels who it was. There is nothing to release, nothing to expire
and nothing to contend for.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from common.errors import AlreadyExists, Unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A job ID that is taken: by whom (labels), and when (BigQuery's clock)."""

    job_id: str
    labels: Mapping[str, str]
    claimed_at: datetime

    def is_held_by(self, labels: Mapping[str, str]) -> bool:
        """Tell whether the holder said `labels` of itself."""
        return says_of_itself(self.labels, labels)


def says_of_itself(holder: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """Tell whether the labels of a job that holds an ID include all of `labels`: then the claim is ours."""
    return all(holder.get(name) == value for name, value in labels.items())


def as_label(text: str) -> str:
    """Write a text as the value of a job label: lower case, 63 characters at the most."""
    return text.lower()[:63]


class ClaimJobs(Protocol):
    """Where claims are made: `SELECT 1` jobs that bill nothing."""

    def insert_claim(self, job_id: str, labels: Mapping[str, str]) -> Claim:
        """Take the job ID. Raise AlreadyExists where it is taken, Unavailable where nobody can tell."""

    def find_claim(self, job_id: str) -> Claim | None:
        """Return the claim on a job ID, None where it is free."""


def claim(jobs: ClaimJobs, job_id: str, labels: Mapping[str, str]) -> Claim:
    """Take a job ID, or learn who holds it: ask the answer's `is_held_by(labels)`.

    A client repeats an insert whose answer got lost, so a 409 can be our own claim. Only the labels tell.
    """
    holder = try_claim(jobs, job_id, labels)
    if holder is None:
        raise Unavailable("a job ID is taken and its job cannot be read yet")
    return holder


def try_claim(jobs: ClaimJobs, job_id: str, labels: Mapping[str, str]) -> Claim | None:
    """Take a job ID, or learn who holds it; None where it is taken and there is no job to tell by whom.

    BigQuery forgets a job after 180 days, and nothing says that it forgets the ID: a caller that counts IDs
    up takes the next.
    """
    try:
        return jobs.insert_claim(job_id, labels)
    except AlreadyExists:
        return jobs.find_claim(job_id)


def last_in_order[T](find: Callable[[int], T | None], first: int) -> tuple[int, T] | None:
    """Find the last of those that are taken in order, from number `first` on; None where there is none.

    There may be hundreds, so the search doubles its steps and then halves them.
    """
    found, missing, step = None, first, 1
    while (one := find(missing)) is not None:
        found, missing, step = (missing, one), missing + step, step * 2
    while found and missing - found[0] > 1:
        middle = (found[0] + missing) // 2
        if (one := find(middle)) is not None:
            found = middle, one
        else:
            missing = middle
    return found
