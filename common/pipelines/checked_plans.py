"""Plans with checks: a step's rows go to a candidate, and are published by a job of their own once they pass.

What replaces the target's rows, or adds to them, a copy publishes: it is atomic, and bills nothing. A query
publishes what a copy cannot: rows that may bring columns of their own, rows of files whose columns nobody has
said, and those of a step under a credential, whose account copies no table. What is merged into its target is
merged from the candidate.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from common.pipelines.candidates import CANDIDATE
from common.pipelines.plans import (
    PUBLISH,
    CheckJob,
    CopyJob,
    CopyOperation,
    FilesLoadedJob,
    Job,
    LoadJob,
    Partitioning,
    QueryJob,
    StatementType,
    WriteDisposition,
)
from common.pipelines.tables import TableName

MAKE_CANDIDATE = "candidate"
"""The name of the job that gives a candidate the columns of a table which an earlier job makes."""
FAILING_ROWS = "failing_rows"
"""The name of the job that keeps rows which break checks."""
TABLE_OF_FAILING_ROWS = "dq_failing_rows"
KEPT_DAYS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Merging:
    """The halves of a job that merges rows into its target: one writes them beside it, one merges them."""

    rows: QueryJob
    publishing: QueryJob


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """The job of a plan that writes a table, to be made two: one writes the candidate, one publishes it."""

    before: tuple[Job, ...]
    writer: Job
    after: tuple[Job, ...]
    target: TableName
    merging: Merging | None
    is_under_credential: bool

    @property
    def candidate(self) -> TableName:
        """The candidate, as plans name it."""
        return replace(self.target, table=CANDIDATE)

    @property
    def to_candidate(self) -> tuple[Job, ...]:
        """The jobs that write the candidate, which is empty until one of their attempts has done well.

        What adds rows, or replaces one partition, does so here too: only so may it change columns.
        """
        if self.merging:
            makers = (job for job in self.before if isinstance(job, QueryJob) and self._is_written_by(job))
            return (*(self._beside(job, name=MAKE_CANDIDATE) for job in makers), self.merging.rows)
        match self.writer:
            case CopyJob(operation=CopyOperation.SNAPSHOT):
                return (
                    self._beside(
                        self.writer, operation=CopyOperation.CLONE, is_of_a_day=False, retention_days=None
                    ),
                )
            case QueryJob() | LoadJob() | CopyJob():
                adds = self.writer.write_disposition is WriteDisposition.APPEND or self.writer.partition
                disposition = self.writer.write_disposition if adds else WriteDisposition.EMPTY
                return (self._beside(self.writer, write_disposition=disposition),)
        raise TypeError(f"a {self.writer.KIND} job has no candidate")

    def publishing(self, sql: str, maximum_bytes_billed: int | None) -> Job:
        """Return the job that publishes the candidate's rows; `sql` selects them all."""
        writer = self.writer
        if self.merging:
            return self.merging.publishing
        if isinstance(writer, CopyJob):
            return replace(writer, name=PUBLISH, sources=(str(self.candidate),))
        if not isinstance(writer, QueryJob | LoadJob):
            raise TypeError(f"what a {writer.KIND} job writes is not published")
        if self.is_under_credential or writer.schema_update or not _is_laid_out(writer):
            return QueryJob(
                name=PUBLISH,
                sql=sql,
                destination=self.target.table,
                write_disposition=writer.write_disposition,
                partitioning=writer.partitioning,
                clustering=writer.clustering,
                maximum_bytes_billed=maximum_bytes_billed,
                partition=writer.partition,
                schema_update=writer.schema_update,
            )
        return CopyJob(
            name=PUBLISH,
            sources=(str(self.candidate),),
            destination=self.target.table,
            write_disposition=writer.write_disposition,
            partition=writer.partition,
            partition_type=writer.partitioning.type if writer.partitioning else "DAY",
        )

    def with_checks(self, checking: Sequence[Job], publishing: Job) -> tuple[Job, ...]:
        """Return the plan: the rows beside the target, the checks of them, and then all that follows."""
        return (*self.before, *self.to_candidate, *checking, publishing, *self.after)

    def _is_written_by(self, job: Job) -> bool:
        return job.destination == self.target.table

    def _beside(self, job: QueryJob | LoadJob | CopyJob, **changes: Any) -> Job:
        return replace(job, destination=CANDIDATE, candidate_for=self.target.table, **changes)


def writers_of(jobs: Sequence[Job], target: TableName) -> Sequence[int]:
    """Return the places of the jobs that write a table."""
    return [
        number
        for number, job in enumerate(jobs)
        if job.destination == target.table and not isinstance(job, FilesLoadedJob)
    ]


def publication_of(
    jobs: Sequence[Job], target: TableName, merging: Merging | None, *, is_under_credential: bool
) -> Publication | None:
    """Find the job that writes a step's rows; None where none can be kept back, as a view's cannot."""
    places = writers_of(jobs, target)
    if not places:
        return None
    writer = jobs[places[-1]]
    is_statement = isinstance(writer, QueryJob) and writer.statement_type is not StatementType.SELECT
    if is_statement and merging is None:
        return None
    return Publication(
        before=tuple(jobs[: places[-1]]),
        writer=writer,
        after=tuple(jobs[places[-1] + 1 :]),
        target=target,
        merging=merging,
        is_under_credential=is_under_credential,
    )


def keeping_failing_rows(sql: str, parameters: Sequence[str], maximum_bytes_billed: int | None) -> QueryJob:
    """Return the job that keeps rows which break checks, in a table that forgets them."""
    return QueryJob(
        name=FAILING_ROWS,
        sql=sql,
        destination=TABLE_OF_FAILING_ROWS,
        write_disposition=WriteDisposition.APPEND,
        parameters=tuple(parameters),
        partitioning=Partitioning(field="found_on", expiration_days=KEPT_DAYS),
        maximum_bytes_billed=maximum_bytes_billed,
    )


def with_checks(
    jobs: Sequence[Job], publication: Publication | None, checking: Sequence[QueryJob | CheckJob], sql: str
) -> tuple[Job, ...]:
    """Put the jobs of a step's checks into its plan, and publish behind them."""
    if publication is None:
        return (*jobs, *checking)
    limit = next((job.maximum_bytes_billed for job in checking if isinstance(job, CheckJob)), None)
    return publication.with_checks(checking, publication.publishing(sql, limit))


def _is_laid_out(writer: QueryJob | LoadJob) -> bool:
    return isinstance(writer, QueryJob) or bool(writer.columns)
