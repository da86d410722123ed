"""Bootstrap where BigQuery's streaming learns late: no row is lost, and nobody is told otherwise."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from common.errors import NotConfigured, Unavailable
from common.runs.run import RunStatus
from common.setup.bootstrap import Bootstrap, Refreshed
from common.setup.readiness import MAX_HOLD, StreamingReadiness
from common.setup.recreation import Recreation
from common.setup.tables import central_tables
from common.warehouse.backups import CentralBackups
from common.warehouse.bigquery import Central
from common.warehouse.runs import RunRows
from common.warehouse.setup import CentralTables
from common.warehouse.streaming import CentralStreamTargets, Streaming
from tests.fakes.clock import VirtualClock
from tests.unit.runs.examples import a_run

if TYPE_CHECKING:
    from local.bigquery import LocalBigQuery

RUNS = "tenant_pipeline_runs"
STREAMED = tuple(one for one in central_tables() if one.name in {RUNS, "tenant_step_logs"})
"""What is true of two is true of twelve, and quicker."""


class NoTenants:
    """`TenantViews` where there are none."""

    def refresh(self, view: object) -> Refreshed:
        return Refreshed()


class Platform:
    """A platform, and an instance that streams run rows; time passes when somebody sleeps."""

    def __init__(self, central: Central) -> None:
        self.central = central
        self.clock = VirtualClock()
        targets = CentralStreamTargets(central=central, clock=self.clock)
        streaming = Streaming(central=central, sleep=self.clock.sleep, check=targets.require)
        self.rows = RunRows(streaming=streaming)
        self._numbers = iter(range(1000))

    def bootstrap(self, **options: Any) -> Any:
        targets = CentralStreamTargets(central=self.central, clock=self.clock)
        return Bootstrap(
            central=CentralTables(central=self.central, clock=self.clock),
            tenant_views=NoTenants(),
            recreation=Recreation(
                backups=CentralBackups(central=self.central, clock=self.clock),
                dataset=self.central.dataset,
                clock=self.clock,
                definitions=STREAMED,
                views=(),
            ),
            definitions=STREAMED,
            views=(),
            readiness=StreamingReadiness(
                targets=targets,
                clock=self.clock,
                new_id=lambda: str(next(self._numbers)),
                sleep=self.clock.sleep,
            ),
        ).run(**options)

    def append(self, run_id: str) -> None:
        run = a_run(run_id=run_id, started_at=self.clock())
        self.rows.append_run(run, RunStatus.PENDING, self.clock())

    def run_ids(self) -> set[str]:
        rows = self.central.client.list_rows(self.central.table(RUNS))
        return {row.pipeline_logging_id for row in rows if not row.pipeline_logging_id.startswith("probe-")}


@pytest.fixture(scope="module")
def platform(central: Central) -> Platform:
    return Platform(central)


@pytest.fixture(autouse=True)
def late(local_bigquery: "LocalBigQuery", platform: Platform) -> Iterator[Callable[[float], None]]:
    """Let streaming learn of changes after some seconds of the platform's clock."""
    delay = local_bigquery.streaming_delay
    delay.is_on, delay.clock = True, lambda: platform.clock().timestamp()

    def set_seconds(seconds: float) -> None:
        delay.seconds = seconds

    yield set_seconds
    delay.reset()


def test_nothing_is_streamed_to_a_table_before_it_is_there(
    local_bigquery: "LocalBigQuery", platform: Platform
) -> None:
    before = local_bigquery.counts.insert_all
    with pytest.raises(NotConfigured, match="POST /admin/bootstrap"):
        platform.append("too-early")
    assert local_bigquery.counts.insert_all == before


def test_a_first_bootstrap_answers_once_rows_arrive(
    platform: Platform, late: Callable[[float], None]
) -> None:
    late(60)
    report = platform.bootstrap()
    assert report.streaming_held == []
    platform.append("right-after")
    assert platform.run_ids() == {"right-after"}


def test_a_recreation_that_takes_longer_says_so_and_rows_are_refused_and_not_lost(
    platform: Platform, late: Callable[[float], None]
) -> None:
    late(400)
    report = platform.bootstrap(force_recreate_tables=True)
    assert {held.table for held in report.streaming_held} == {one.name for one in STREAMED}
    with pytest.raises(Unavailable):
        platform.rows.check_rows_arrive()
    with pytest.raises(Unavailable):
        platform.append("meanwhile")
    assert platform.run_ids() == {"right-after"}
    platform.clock.advance(timedelta(seconds=400))
    assert platform.bootstrap().streaming_held == []
    platform.append("afterwards")
    assert platform.run_ids() == {"right-after", "afterwards"}


def test_a_hold_that_nobody_lifts_ends_by_itself(platform: Platform, late: Callable[[float], None]) -> None:
    late(0)
    targets = CentralStreamTargets(central=platform.central, clock=platform.clock)
    targets.hold(RUNS, platform.clock() + MAX_HOLD)
    assert set(targets.held(platform.clock())) == {RUNS}
    platform.clock.advance(timedelta(seconds=11))
    with pytest.raises(Unavailable):
        platform.append("held")
    platform.clock.advance(MAX_HOLD)
    platform.append("let-in")
    assert "let-in" in platform.run_ids()
    assert targets.held(platform.clock()) == {}
