"""What the pipelines function stands on; the wiring puts it together."""

from dataclasses import dataclass

from common.http.calls import Edge
from common.pipelines.configs import Configs
from common.runs.reading import RunLog
from common.runs.retrying import RunRetrier
from common.runs.starting import RunStarter
from common.schedules.backfilling import Backfills
from common.schedules.queue import RunQueue
from common.schedules.stopping import RunStopper
from common.schedules.timetable import Schedules


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineServices:
    """Services of the tenant API of pipelines."""

    edge: Edge
    configs: Configs
    starter: RunStarter
    retrier: RunRetrier
    canceller: RunStopper
    run_log: RunLog
    schedules: Schedules
    queue: RunQueue
    backfills: Backfills
