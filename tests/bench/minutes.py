"""A full minute: many firings due at once, and the one call of the dispatcher that is to begin them all."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from common.queue.filling import PORTION
from common.warehouse.bigquery import Central
from common.warehouse.clients import make_client
from common.warehouse.streaming import MAX_ROWS
from common.wiring import DISPATCH_BUDGET
from local.bigquery import Effect, Fault
from tests.bench.instances import Tick, tick
from tests.bench.tenants import CONFIGS_PER_TENANT, add_tenants
from tests.functional.costs import EVENTS_TOPIC, LEVELS_TOPIC, Counted, held_against, reset_counts
from tests.functional.environment import PROJECT
from tests.functional.site import Site

COST_OF_A_MINUTE = "What a minute costs"
END_ALL = """
INSERT INTO tenants.tenant_pipeline_runs
SELECT * REPLACE ('COMPLETED' AS status, CURRENT_TIMESTAMP() AS recorded_at)
FROM tenants.tenant_pipeline_runs
WHERE status = 'PENDING' AND start_time >= TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 1 DAY)
"""
"""Nobody carries the runs out here: were they left, the next call would find them quiet and continue them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of the dispatcher while `firings` were due: what it did and what it cost."""

    firings: int
    counted: list[Counted]
    tick: Tick
    server_cpu_seconds: float

    @property
    def begun(self) -> int:
        """Count the runs that it began."""
        return int(self.tick.answer["filled"]["begun"])

    @property
    def is_whole(self) -> bool:
        """Tell whether the call began all that was due, and was not stopped by its budget."""
        return self.begun == self.firings and self.tick.answer["filled"]["left"] == 0

    @property
    def is_in_time(self) -> bool:
        """Tell whether the call ended within the budget that it has in the cloud."""
        return self.tick.seconds <= DISPATCH_BUDGET.total_seconds()


def minute(site: Site, tenants: int, latency_seconds: float) -> Iterator[Call]:
    """Have tenants with ten due configs each; call the dispatcher, end the runs, and call it once more."""
    central = _central(site)
    add_tenants(central, tenants)
    site.bigquery.limits.is_on = True
    if latency_seconds:
        site.bigquery.faults.script([Fault(effect=Effect.SLOW, seconds=latency_seconds)])
    yield _call(site, tenants * CONFIGS_PER_TENANT)
    central.client.query_and_wait(END_ALL)
    yield _call(site, 0)
    site.bigquery.limits.is_on = False
    site.bigquery.faults.reset()


def _call(site: Site, firings: int) -> Call:
    reset_counts(site)
    cpu_began = time.process_time()
    ticked = tick()
    server_cpu_seconds = time.process_time() - cpu_began
    sizes = {"F": firings, "P": ceil(firings / PORTION), "B": ceil(firings / MAX_ROWS)}
    counted = list(held_against(COST_OF_A_MINUTE, _counts(site), sizes))
    return Call(firings=firings, counted=counted, tick=ticked, server_cpu_seconds=server_cpu_seconds)


def _counts(site: Site) -> dict[str, int]:
    counts, messages = site.bigquery.counts, site.pubsub.publishes.messages
    claims, ours = counts.jobs("cvg-ticket-"), counts.jobs("cvg-")
    return {
        "queries that read state": counts.jobs() - ours,
        "claims": claims,
        "INSERTs": ours - claims,
        "`tabledata.insertAll` calls": counts.insert_all,
        "level messages": messages[LEVELS_TOPIC],
        "run events": messages[EVENTS_TOPIC],
    }


def _central(site: Site) -> Central:
    client = make_client(project=PROJECT, location="US", emulator_host=site.bigquery.url)
    return Central(client=client, dataset="tenants", location="US")
