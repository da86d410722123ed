"""Overlaps: firings of a schedule that find as many of its runs under way as may be (`max_active_runs`)."""

from collections import defaultdict
from collections.abc import Sequence

from common.pipelines.schedule import Overlap
from common.queue.waiting import WaitingRun

SKIPPED = "skipped: as many runs of the schedule were under way as may be (max_active_runs, overlap: skip)"
TAKEN_OVER = "a later firing of the schedule has taken its place (overlap: cancel_older)"


def overtaken(waiting: Sequence[WaitingRun]) -> frozenset[str]:
    """Name the runs that later ones of the same schedule leave no place for, where its file says so."""
    by_schedule: dict[str, list[WaitingRun]] = defaultdict(list)
    for one in waiting:
        if one.share:
            by_schedule[one.config_id].append(one)
    return frozenset(
        one.run_id for runs in by_schedule.values() for one in _older(sorted(runs, key=lambda r: r.due_at))
    )


def _older(runs: Sequence[WaitingRun]) -> Sequence[WaitingRun]:
    latest = runs[-1]
    most = latest.share.max_active_runs if latest.share else 0
    return runs[:-most] if latest.overlap is Overlap.CANCEL_OLDER and most else ()
