"""What must hold of rows that are checked before they are published, and what happened to them in a world."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from common.pipelines.candidates import LIFETIME
from common.pipelines.plans import CHECKS, PUBLISH, CheckJob
from common.quality.verdicts import CheckStatus, judge
from common.runs.ports import StepJob

if TYPE_CHECKING:
    from tests.simulation.world import World

_SUBMITTED = "before submit "
_READ = "read counts "


@dataclass(slots=True)
class Publications:
    """Which rows somebody went to publish, and whose counts had been read by then."""

    read: set[str] = field(default_factory=set)
    """The steps of runs, as their jobs' IDs name them."""
    unread: list[str] = field(default_factory=list)
    """Jobs that publish and were asked for before anybody had read what the checks had counted."""

    def note(self, point: str) -> None:
        """Take note of what a process is about to do."""
        if point.startswith(_READ):
            self.read.add(_step_of(point.removeprefix(_READ), CHECKS))
        job_id = point.removeprefix(_SUBMITTED)
        if job_id != point and f"-{PUBLISH}" in job_id and _step_of(job_id, PUBLISH) not in self.read:
            self.unread.append(job_id)


def _step_of(job_id: str, name: str) -> str:
    return job_id.rpartition(f"-{name}")[0].rpartition("-")[0]


def broken_publications(world: "World") -> Iterator[str]:
    """Return a sentence for each invariant of checked steps that a world breaks."""
    yield from _published_in_spite_of_checks(world)
    yield from _candidates_that_stay(world)
    yield from _results_that_disagree(world)


def _published_in_spite_of_checks(world: "World") -> Iterator[str]:
    """Hold that rows are published once their checks have been read, and where no error is among these."""
    checked = {_owner(job): job.work for job, _ in world.jobs.reports if isinstance(job.work, CheckJob)}
    for job, _ in world.jobs.reports:
        if job.job_id in world.publications.unread and _owner(job) in checked:
            yield f"{job.job_id} published before its checks were read"
    for job in world.jobs.effects:
        work = checked.get(_owner(job)) if job.work.name == PUBLISH else None
        if work and _has_failed(world, work):
            yield f"{job.job_id} published although its checks failed"


def _has_failed(world: "World", work: CheckJob) -> bool:
    verdicts = judge(work.checks, world.jobs.counts[work.table], earlier=lambda *_: (), columns=lambda: ())
    return any(verdict.status is CheckStatus.FAILED for verdict in verdicts)


def _candidates_that_stay(world: "World") -> Iterator[str]:
    """Hold that a candidate is gone a day after it was made, whatever became of its run."""
    made = {job.work.destination: report.started_at for job, report in world.jobs.reports}
    for name, expires_at in world.jobs.candidates.items():
        begun_at = made.get(name)
        if expires_at is None or (begun_at and expires_at > begun_at + LIFETIME):
            yield f"the candidate {name} does not expire"


def _results_that_disagree(world: "World") -> Iterator[str]:
    """Hold that whoever reads a check's counts comes to the same verdict."""
    found: dict[str, set[CheckStatus]] = defaultdict(set)
    for _, result in world.rows.results:
        found[result.key].add(result.verdict.status)
    for key, statuses in found.items():
        if len(statuses) > 1:
            yield f"the check {key} has {len(statuses)} results"


def _owner(job: StepJob) -> tuple[str, str]:
    return job.labels["run"], job.labels["step"]
