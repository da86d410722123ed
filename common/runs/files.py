"""Which files a load takes: listed once, and fixed for good before its job is made.

Each table has a ledger of the files that it has had, by name and generation. Who is to load more of them
takes the next number of that ledger, and with it writes down which files: number and files are one INSERT,
whose job ID is the lock. So all that is taken is known to every job that takes more, and a job finds the
files that it had before, whatever delivery makes it again.

What has become of files that another job took, BigQuery says of that job. One that was never made is kept
from being made: its ID is used up, and the step that meant to have it takes its next attempt. Where the rows
are checked before they are published, the files are loaded once they are: the jobs in between are looked at
in their order, and the first one that is missing is kept from being made, which ends the step.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import accumulate, takewhile
from typing import Protocol

from common.errors import AlreadyExists, QueryRefused, Unavailable
from common.pipelines.plans import FilesLoadedJob, LoadJob, LoadMode
from common.pipelines.uris import LEFT_OUT, matches, prefix_of
from common.runs.ports import JobReport, StepJob
from common.runs.retries import is_limit

MAX_FILES = 10_000
"""Of one load job: as many as BigQuery takes by their names."""
MAX_NAMES_BYTES = 2 * 1024 * 1024
MAX_LISTED = 100_000
PATIENCE = timedelta(minutes=2)
"""How long a job that has taken files may take to be made."""
MAX_TURNS = 5
TAKEN_OVER = "files"
"""The label of a job that is there for another one not to be made."""

PUBLISHED_BY = "published_by"
"""The label of a load whose rows go to a candidate: the jobs that follow until they are published."""
FILES_IN_USE = "filesInUse"
"""The reason of a step that waits for another load of its table (`common.runs.retries`)."""
FILES_TAKEN_OVER = "filesTakenOver"
"""The reason of a job whose files another run has taken over: the next attempt takes what is left."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class StoredFile:
    """A file in Cloud Storage, in one version."""

    uri: str
    generation: int
    size: int
    updated_at: datetime


class BatchState(StrEnum):
    """What has become of the files that a job has taken."""

    CLAIMED = "CLAIMED"
    LOADED = "LOADED"
    VOID = "VOID"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileBatch:
    """The files of one load job, under the number that it took in the ledger of its table."""

    table: str
    number: int
    job_id: str
    labels: Mapping[str, str]
    """Whose job it is: its tenant, pipeline, run and step."""
    project: str
    """Where the job is; "" is the platform's own project."""
    files: tuple[StoredFile, ...]
    claimed_at: datetime
    state: BatchState = BatchState.CLAIMED


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerReading:
    """What a table's ledger says to a job."""

    now: datetime
    last_number: int = 0
    own: FileBatch | None = None
    """What this very job has taken before."""
    open: tuple[FileBatch, ...] = ()
    """What other jobs have taken, and nobody has written down what became of."""
    loaded: frozenset[tuple[str, int]] = field(default_factory=frozenset)
    """Names and generations of files that the table has had, among those with the given prefixes."""


class FileLedger(Protocol):
    """The ledgers of one tenant's tables."""

    def read(self, table: str, job_id: str, prefixes: Sequence[str]) -> LedgerReading:
        """Read a table's ledger; it is made where there is none."""

    def append(self, batch: FileBatch, ended: Sequence[FileBatch]) -> bool:
        """Take a number with its files, and write down what became of others.

        False where somebody has taken a number since: read again. A number whose INSERT failed is skipped.
        """


class Buckets(Protocol):
    """Cloud Storage as one identity sees it."""

    def files_of(self, bucket: str, prefix: str) -> Iterator[StoredFile]:
        """List files by the beginning of their names; QueryRefused where the identity may not."""


class LoadJobs(Protocol):
    """The jobs of the identity that a load runs under."""

    def find(self, job_id: str) -> JobReport | None:
        """Return the job, None where there is none of that ID."""

    def use_up(self, job_id: str, labels: Mapping[str, str]) -> None:
        """Take an ID with a job that does nothing; AlreadyExists where it is taken."""


def ledger_name(work: LoadJob | FilesLoadedJob) -> str:
    """Name the ledger of what a load is there for: a table, or one partition of it."""
    table = (work.candidate_for if isinstance(work, LoadJob) else "") or work.destination
    return f"{table}${work.partition}" if work.partition else table


@dataclass(frozen=True, slots=True, kw_only=True)
class FileClaims:
    """Takes files for load jobs."""

    ledger: FileLedger
    buckets: Buckets
    jobs: LoadJobs
    project: str = ""

    def claim(self, job: StepJob, work: LoadJob) -> tuple[str, ...]:
        """Return the files that a job loads, the same however often it is asked; none where none is new.

        Unavailable while another job loads files of the same table, QueryRefused where there is no file that
        has to be there.
        """
        table = ledger_name(work)
        for _ in range(MAX_TURNS):
            reading = self.ledger.read(table, job.job_id, [prefix_of(uri) for uri in work.uris])
            if reading.own:
                return tuple(file.uri for file in reading.own.files)
            ended = [self._ended(batch, reading.now) for batch in reading.open]
            batch = FileBatch(
                table=table,
                number=reading.last_number + 1,
                job_id=job.job_id,
                labels=_claimant(job.labels),
                project=self.project,
                files=self._chosen(work, reading, ended),
                claimed_at=reading.now,
            )
            if self.ledger.append(batch, ended):
                return tuple(file.uri for file in batch.files)
        raise Unavailable(f"other runs are taking files for {table}", FILES_IN_USE)

    def _chosen(
        self, work: LoadJob, reading: LedgerReading, ended: Iterable[FileBatch]
    ) -> tuple[StoredFile, ...]:
        listed = self._listed(work)
        if work.mode is not LoadMode.NEW_FILES:
            if not listed:
                raise QueryRefused(f"Not found: no file matches {', '.join(work.uris)}", "notFound")
            if len(_fitting(listed)) < len(listed):
                raise QueryRefused(f"more than {MAX_FILES:,} files, or too long names of them", "invalid")
            return tuple(listed)
        had = {
            (file.uri, file.generation)
            for batch in ended
            if batch.state is BatchState.LOADED
            for file in batch.files
        }
        new = [file for file in listed if (file.uri, file.generation) not in reading.loaded | had]
        # What does not fit is taken by the next run: the oldest go first.
        return tuple(sorted(_fitting(sorted(new, key=lambda file: (file.updated_at, file.uri)))))

    def _listed(self, work: LoadJob) -> list[StoredFile]:
        found: dict[str, StoredFile] = {}
        for uri in work.uris:
            bucket, _, prefix = prefix_of(uri).removeprefix("gs://").partition("/")
            for file in self.buckets.files_of(bucket, prefix):
                if not matches(uri, file.uri) or _is_folder(file):
                    continue
                if LEFT_OUT.search(file.uri.removeprefix("gs://")):
                    told = (
                        f"{file.uri!r}: BigQuery cannot read a file of this name alone, so move or rename it"
                    )
                    raise QueryRefused(told, "invalid")
                found[file.uri] = file
                if len(found) > MAX_LISTED:
                    told = f"more than {MAX_LISTED:,} files match: name fewer, by ${{date}} perhaps"
                    raise QueryRefused(told, "invalid")
        return sorted(found.values())

    def _ended(self, batch: FileBatch, now: datetime) -> FileBatch:
        """Say what has become of the files that another job took."""
        if batch.project != self.project:
            told = (
                f"files for {batch.table} were taken by a job in {batch.project or 'the platform'}'s project"
            )
            raise QueryRefused(f"{told}, and this step's account cannot tell what became of it", "invalid")
        report = self.jobs.find(batch.job_id)
        if report is None:
            self._keep_from(batch, batch.job_id, batch.claimed_at, now)
            return replace(batch, state=BatchState.VOID)
        if not report.is_done:
            raise Unavailable(_waits(batch), FILES_IN_USE)
        if report.has_failed:
            return replace(batch, state=BatchState.VOID)
        following = filter(None, report.labels.get(PUBLISHED_BY, "").split("-"))
        return self._published(batch, report, tuple(following), now)

    def _published(
        self, batch: FileBatch, load: JobReport, following: Sequence[str], now: datetime
    ) -> FileBatch:
        """Say whether the rows of a load have been published by the last of the jobs that follow on it."""
        since, step = load.ended_at or now, _of_step(batch.job_id)
        for name in following:
            attempt, waits = 1, 0
            while True:
                job_id = f"{step}-{attempt}-{name}" + (f"-w{waits}" if waits else "")
                report = self.jobs.find(job_id)
                if report is None:
                    self._keep_from(batch, job_id, since, now)
                    return replace(batch, state=BatchState.VOID)
                if not report.is_done:
                    raise Unavailable(_waits(batch), FILES_IN_USE)
                since = report.ended_at or since
                if not report.has_failed:
                    break
                if report.error_reason == FILES_TAKEN_OVER:
                    return replace(batch, state=BatchState.VOID)
                if is_limit(report.error_reason, report.error_message):
                    waits += 1
                else:
                    attempt, waits = attempt + 1, 0
        return replace(batch, state=BatchState.LOADED)

    def _keep_from(self, batch: FileBatch, job_id: str, since: datetime, now: datetime) -> None:
        """Keep a job from being made that could have been by now; Unavailable where it still may be."""
        if now - since < PATIENCE:
            raise Unavailable(_waits(batch), FILES_IN_USE)
        try:
            self.jobs.use_up(job_id, batch.labels)
        except AlreadyExists as taken:
            raise Unavailable(_waits(batch), FILES_IN_USE) from taken


def _claimant(labels: Mapping[str, str]) -> dict[str, str]:
    return {name: labels.get(name, "") for name in ("tenant", "pipeline", "run", "step")}


def _of_step(job_id: str) -> str:
    """Return what the IDs of all jobs of a step begin with, of that of its load."""
    return _ATTEMPT.sub("", job_id)


_ATTEMPT = re.compile(r"-\d+(?:-w\d+)?$")


def _waits(batch: FileBatch) -> str:
    return f"the run {batch.labels.get('run', '')} is loading files into {batch.table}"


def _fitting(files: Sequence[StoredFile]) -> Sequence[StoredFile]:
    """Return as many of the files, the first ones, as one job can name."""
    bytes_until = accumulate(len(file.uri.encode()) for file in files)
    fitting = sum(1 for _ in takewhile(lambda total: total <= MAX_NAMES_BYTES, bytes_until))
    return files[: min(fitting, MAX_FILES)]


def _is_folder(file: StoredFile) -> bool:
    """Tell whether a file is what consoles make to show a folder."""
    return file.uri.endswith("/") and file.size == 0
