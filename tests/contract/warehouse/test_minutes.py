"""A full minute: many firings due at once, admitted by one call, under BigQuery's limits."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from common.dispatcher.dispatching import Dispatcher
from common.pipelines.pipeline import Pipeline
from common.queue.filling import Filled, SlotFiller
from common.queue.run_queue import RunQueue
from common.runs.beginning import RunAdmission
from common.runs.events import Announcer
from common.runs.level_messages import LevelMessage
from common.runs.ports import ConfigText
from common.times import utc_now
from common.warehouse.admissions import AdmissionRows
from common.warehouse.bigquery import Central, Queries
from common.warehouse.jobs import ClaimedJobs
from common.warehouse.queue import FiringRows, QueueRows
from common.warehouse.runs import RunRows
from common.warehouse.schedules import ScheduleRows
from common.warehouse.streaming import Streaming
from common.warehouse.tenant_admissions import TenantAdmissionRows
from tests.bench.tenants import CONFIGS_PER_TENANT, add_tenants
from tests.fakes.events import MemoryEvents
from tests.unit.runs.examples import a_pipeline
from tests.unit.schedules.platform import NoDeadLetters, NoSweeper, NoUsage

if TYPE_CHECKING:
    from local.bigquery import LocalBigQuery


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
    run_admission = RunAdmission(
        facts=AdmissionRows(queries=queries),
        store=RunRows(streaming=streaming),
        claims=claims,
        levels=sent,
        clock=utc_now,
    )
    filler = SlotFiller(
        store=TenantAdmissionRows(queries=queries, streaming=streaming),
        queue=queue,
        run_admission=run_admission,
        claims=claims,
        levels=sent,
        compile=compiled,
        cancel=lambda tenant_id, run_id: None,
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


@pytest.fixture
def central_with_limits(local_bigquery: "LocalBigQuery", bootstrapped: Central) -> Iterator[Central]:
    local_bigquery.limits.is_on, local_bigquery.limits.clock = True, lambda: 0.0
    yield bootstrapped
    local_bigquery.limits.reset()


def test_a_minute_costs_a_claim_per_firing_and_a_few_calls_per_portion(
    local_bigquery: "LocalBigQuery", central_with_limits: Central
) -> None:
    """`make bench` does the same with the dispatcher's own `main.py`, and with ten thousand firings."""
    tenants = 8
    add_tenants(central_with_limits, tenants)
    sent, due = Sent(), tenants * CONFIGS_PER_TENANT
    dispatcher = make_dispatcher(central_with_limits, sent)
    counts = local_bigquery.counts
    counts.reset()
    assert dispatcher.tick().filled == Filled(begun=due)
    tickets = counts.jobs("cvg-ticket-")
    assert (tickets, len(sent.messages), sent.calls) == (due, due, 1)
    # One less where nothing says that anybody waits: the queue is read anyway once in a quarter of an hour.
    assert counts.jobs() - tickets in {3, 4}
    assert counts.insert_all == 2
    assert dispatcher.tick().filled == Filled()
