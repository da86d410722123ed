"""A large platform against BigQuery's documented limits: which of them is reached first.

What a run asks for is counted on a site; how often runs begin is a model: ten thousand tenants, a quarter of
a million runs a day, and a tenth of them due at midnight, begun over ten minutes. The limits are those of a
project that has asked for no others, as BigQuery and Terraform's functions have them.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from local.instances import DEPLOYED
from tests.functional.costs import Levels, requests_of_a_run
from tests.functional.site import Site, Tenant

TENANTS = 10_000
RUNS_OF_A_DAY = 250_000
SECONDS_OF_A_DAY = 86_400
AT_MIDNIGHT = 0.1
MIDNIGHT_SECONDS = 600
JOB_SECONDS = 10.0
"""How long a job of the model takes."""
LEVEL_OVERHEAD_SECONDS = 1.0
WAITED_SECONDS = 0.3
"""How long a job takes where it is counted: each is waited for."""
SHAPE: Levels = ({"a": "SELECT 1 AS n"}, {"b": "SELECT 1 AS n"}, {"c": "SELECT 1 AS n", "d": "SELECT 1 AS n"})
REQUESTS_PER_SECOND = 100.0
"""Of one account to one method."""
GETS_PER_SECOND = 1_000.0
BYTES_PER_SECOND = 1e9
"""Streamed into a project in a multi-region."""
BYTES_OF_A_ROW = 1_000
QUEUED_QUERIES = 1_000
"""Interactive ones of a project in a region that may wait, beside those that run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a limit is asked to bear, evenly over the day and at midnight."""

    limit: str
    most: float
    evenly: float
    at_midnight: float

    @property
    def headroom(self) -> float:
        """How many times the load at midnight it could bear."""
        return self.most / self.at_midnight


def loads(site: Site, tenant: Tenant) -> Sequence[Load]:
    """Count a run, and say what many of them ask of each limit, the one that is reached first in front."""
    counts, latency = site.bigquery.counts, site.bigquery.latency
    latency.job_seconds = WAITED_SECONDS
    try:
        counted = requests_of_a_run(site, tenant, SHAPE)
    finally:
        latency.reset()
    steps = sum(map(len, SHAPE))
    executors = counts.dry_runs + counts.jobs("cvg-step-")
    each = {
        "jobs.insert of the shared executor": (REQUESTS_PER_SECOND, executors),
        "jobs.insert of the platform": (REQUESTS_PER_SECOND, counted["jobs.insert"] - executors),
        "jobs.getQueryResults of the shared executor": (REQUESTS_PER_SECOND, counted["jobs.getQueryResults"]),
        "jobs.query of the platform": (REQUESTS_PER_SECOND, counted["jobs.query"]),
        "jobs.get of the platform": (GETS_PER_SECOND, counted["jobs.get"]),
        "bytes of rows a second": (BYTES_PER_SECOND, (2 * steps + 2) * BYTES_OF_A_ROW),
        "queries at once": (QUEUED_QUERIES, steps * JOB_SECONDS),
        "calls of run_level at once": (_calls_at_once(), len(SHAPE) * (JOB_SECONDS + LEVEL_OVERHEAD_SECONDS)),
    }
    return sorted(_loads(each), key=lambda one: one.headroom)


def _loads(each: dict[str, tuple[float, float]]) -> Iterator[Load]:
    evenly = RUNS_OF_A_DAY / SECONDS_OF_A_DAY
    at_midnight = RUNS_OF_A_DAY * AT_MIDNIGHT / MIDNIGHT_SECONDS
    for limit, (most, of_a_run) in each.items():
        yield Load(limit=limit, most=most, evenly=evenly * of_a_run, at_midnight=at_midnight * of_a_run)


def _calls_at_once() -> float:
    deployed = json.loads(DEPLOYED.read_text(encoding="utf-8"))["run_level"]
    return float(deployed["max_instances"] * deployed["concurrency"])
