"""A full minute: ten thousand firings due at once, admitted by one call, under BigQuery's limits."""

import json
import logging
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import batched
from time import perf_counter
from typing import TYPE_CHECKING, Any

import pytest

from common.pipelines.pipeline import Pipeline
from common.runs.beginning import RunBeginner
from common.runs.events import Announcer
from common.runs.level_messages import LevelMessage
from common.runs.ports import ConfigText
from common.schedules.dispatching import Dispatcher
from common.schedules.filling import PORTION, Filled, SlotFiller
from common.schedules.queue import RunQueue
from common.times import to_rfc3339, utc_now
from common.warehouse.firings import FiringRows
from common.warehouse.jobs import ClaimedJobs
from common.warehouse.lanes import LaneRows
from common.warehouse.queries import Central, Queries
from common.warehouse.queue import QueueRows
from common.warehouse.runs import RunRows
from common.warehouse.schedules import ScheduleRows
from common.warehouse.streaming import Streaming
from tests.fakes.events import MemoryEvents
from tests.unit.runs.examples import a_pipeline
from tests.unit.schedules.platform import NoDeadLetters, NoSweeper, NoUsage

if TYPE_CHECKING:
    from local.bigquery import LocalBigQuery

logger = logging.getLogger(__name__)
CONFIGS_PER_TENANT = 10


class Sent:
    """`LevelsPublisher` that keeps and counts."""

    def __init__(self) -> None:
        self.calls = 0
        self.messages: list[LevelMessage] = []

    def publish_level(self, message: LevelMessage) -> None:
        self.publish_levels([message])

    def publish_levels(self, messages: Sequence[LevelMessage]) -> None:
        self.calls += 1
        self.messages += messages


def compiled(tenant_id: str, config: ConfigText) -> Pipeline:
    return a_pipeline(tenant_id=tenant_id, config_id=config.config_id)


def make_dispatcher(central: Central, sent: Sent) -> Dispatcher:
    queries, streaming = Queries(central=central, timeout_seconds=600), Streaming(central=central)
    claims = ClaimedJobs(client=central.client, location=central.location)
    firings = FiringRows(queries=queries, streaming=streaming)
    queue = RunQueue(
        store=QueueRows(queries=queries, streaming=streaming),
        firings=firings,
        claims=claims,
        announcer=Announcer(publisher=MemoryEvents()),
        clock=utc_now,
    )
    runs = RunRows(queries=queries, streaming=streaming)
    beginner = RunBeginner(store=runs, claims=claims, levels=sent, clock=utc_now)
    filler = SlotFiller(
        store=LaneRows(queries=queries, streaming=streaming),
        queue=queue,
        beginner=beginner,
        claims=claims,
        levels=sent,
        compile=compiled,
        clock=utc_now,
    )
    return Dispatcher(
        sweeper=NoSweeper(),  # type: ignore[arg-type]
        dead_letters=NoDeadLetters(),  # type: ignore[arg-type]
        timetable=ScheduleRows(queries=queries),
        queue=queue,
        filler=filler,
        usage=NoUsage(),
        firings=firings,
        clock=utc_now,
        budget=timedelta(hours=1),
    )


def add_tenants(central: Central, count: int) -> None:
    """Have tenants on the plan SCALE, each with ten configs that are due now."""
    now = to_rfc3339(utc_now())
    streaming = Streaming(central=central)
    tables: dict[str, list[dict[str, Any]]] = {
        "tenant_profiles": [],
        "tenant_subscriptions": [],
        "tenant_pipeline_configs": [],
    }
    for tenant_id in (f"bench_{number:05}" for number in range(count)):
        common = {"tenant_id": tenant_id, "created_at": now, "recorded_at": now}
        tables["tenant_profiles"].append(
            common
            | {
                "company_name": "Bench",
                "admin_email": "a@bench.example",
                "tenant_dataset_id": tenant_id,
                "status": "ACTIVE",
            }
        )
        tables["tenant_subscriptions"].append(
            common
            | {
                "subscription_id": f"sub-{tenant_id}",
                "plan_name": "SCALE",
                "status": "ACTIVE",
                "daily_limit": 100,
                "monthly_limit": 3000,
                "concurrent_limit": 10,
            }
        )
        tables["tenant_pipeline_configs"] += [
            common
            | {
                "config_id": f"config-{number}",
                "version": 1,
                "pipeline_yaml": "pipeline: {name: Bench}",
                "content_hash": "0",
                "is_active": True,
                "schedule": json.dumps({"cron": "0 0 * * *", "catch_up": "latest"}),
                "schedule_cron": "0 0 * * *",
                "priority": 5,
                "recorded_at": to_rfc3339(utc_now() - timedelta(days=2)),
            }
            for number in range(CONFIGS_PER_TENANT)
        ]
    for table, rows in tables.items():
        for portion in batched(enumerate(rows), 500, strict=False):
            streaming.append(table, {f"{table}-{number}": row for number, row in portion})


@pytest.fixture
def central_with_limits(local_bigquery: "LocalBigQuery", bootstrapped: Central) -> Iterator[Central]:
    local_bigquery.limits.is_on = True
    yield bootstrapped
    local_bigquery.limits.is_on = False


def check_minute(local_bigquery: "LocalBigQuery", central: Central, tenants: int) -> str:
    """Run one call of the dispatcher, check what it did, and say what it took."""
    add_tenants(central, tenants)
    sent, due = Sent(), tenants * CONFIGS_PER_TENANT
    # The server's first claim makes the table that all claims share; two first ones at once would collide.
    ClaimedJobs(client=central.client, location=central.location).insert_claim(f"cvg-warm-{tenants}", {})
    dispatcher = make_dispatcher(central, sent)
    counts = local_bigquery.counts
    counts.reset()
    began = perf_counter()
    assert dispatcher.tick().filled == Filled(begun=due)
    seconds = perf_counter() - began
    tickets = counts.jobs("cvg-ticket-")
    reads = len(counts.job_ids) - counts.jobs("cvg-")
    portions = -(-due // PORTION)
    assert (tickets, len(sent.messages), sent.calls) == (due, due, portions)
    assert (reads, counts.insert_all) == (2 + 2 * portions, 2 * portions)
    assert dispatcher.tick().filled == Filled()
    return (
        f"{due} firings of {tenants} tenants: {seconds:.0f} s, {reads} reads, {tickets} claims, "
        f"{counts.insert_all} streaming calls, {sent.calls} publishing calls"
    )


def test_a_minute_costs_a_claim_per_firing_and_a_few_calls_per_portion(
    local_bigquery: "LocalBigQuery", central_with_limits: Central
) -> None:
    check_minute(local_bigquery, central_with_limits, 20)


@pytest.mark.slow
def test_ten_thousand_firings_are_admitted_by_one_call(
    local_bigquery: "LocalBigQuery", central_with_limits: Central
) -> None:
    logger.warning(check_minute(local_bigquery, central_with_limits, 1000))
