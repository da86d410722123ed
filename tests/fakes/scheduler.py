"""The dispatcher's job and the load of plans, in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from common.dispatcher.control import JobState, PlanLoad
from tests.fakes.clock import START


class MemoryJob:
    """`DispatcherJob`."""

    def __init__(self) -> None:
        self.state = JobState(
            name="projects/p/locations/us-central1/jobs/dispatcher",
            state="ENABLED",
            schedule="* * * * *",
            time_zone="Etc/UTC",
            next_run_time=START,
            last_attempt_time=None,
            last_attempt_failed=None,
        )

    def read(self) -> JobState:
        return self.state

    def pause(self) -> JobState:
        return self._become(state="PAUSED")

    def resume(self) -> JobState:
        return self._become(state="ENABLED")

    def run(self) -> JobState:
        return self._become(last_attempt_time=START, last_attempt_failed=False)

    def _become(self, **changes: object) -> JobState:
        self.state = replace(self.state, **changes)  # type: ignore[arg-type]
        return self.state


class MemoryLoad:
    """`LoadReader` of two plans; whatever is due is SCALE's."""

    def read_load(self, now: datetime, due: Sequence[str]) -> Sequence[PlanLoad]:
        def load(plan_name: str, running: int, queued: int, oldest: datetime | None) -> PlanLoad:
            return PlanLoad(
                plan_name=plan_name,
                tenants=1,
                due=len(due) if plan_name == "SCALE" else 0,
                running=running,
                queued=queued,
                admitted_today=9,
                completed_today=6,
                failed_today=1,
                refused_today=1,
                dead_letters_today=0,
                oldest_queued_at=oldest,
            )

        return [load("SCALE", 4, 3, now), load("STARTER", 1, 0, None)]
