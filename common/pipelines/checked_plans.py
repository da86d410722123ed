"""Plans with checks: a step's rows go to a candidate, and are published by a job of their own once they pass.

Rows that replace the target's, or are added to it, a copy publishes: it is atomic, and bills nothing. Rows
that may bring columns of their own are published by a query, which alone can add these.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from common.pipelines.candidates import CANDIDATE
from common.pipelines.plans import (
    CheckJob,
    CopyJob,
    Job,
    Partitioning,
    QueryJob,
    StatementType,
    WriteDisposition,
)
from common.pipelines.tables import TableName

PUBLISH = "publish"
"""The name of the job by which checked rows come to their table."""
FAILING_ROWS = "failing_rows"
"""The name of the job that keeps rows which break checks."""
TABLE_OF_FAILING_ROWS = "dq_failing_rows"
KEPT_DAYS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """The job of a plan that writes a table, to be made two: one writes the candidate, one publishes it."""

    writer: QueryJob
    target: TableName

    @property
    def candidate(self) -> TableName:
        """The candidate, as plans name it."""
        return replace(self.target, table=CANDIDATE)

    @property
    def to_candidate(self) -> QueryJob:
        """The job that writes the candidate, which is empty until one of its attempts has done well.

        What adds rows, or replaces one partition, does so here too: only so may it change columns.
        """
        writer = self.writer
        adds = writer.write_disposition is WriteDisposition.APPEND or bool(self.writer.partition)
        disposition = writer.write_disposition if adds else WriteDisposition.EMPTY
        return replace(
            writer,
            write_disposition=disposition,
            destination=CANDIDATE,
            candidate_for=self.target.table,
        )

    def publishing(self, sql: str, maximum_bytes_billed: int | None) -> QueryJob | CopyJob:
        """Return the job that publishes the candidate's rows; `sql` selects them all."""
        writer = self.writer
        if writer.schema_update:
            return QueryJob(
                name=PUBLISH,
                sql=sql,
                destination=self.target.table,
                write_disposition=writer.write_disposition,
                partitioning=writer.partitioning,
                clustering=writer.clustering,
                maximum_bytes_billed=maximum_bytes_billed,
                partition=self.writer.partition,
                schema_update=writer.schema_update,
            )
        return CopyJob(
            name=PUBLISH,
            sources=(str(self.candidate),),
            destination=self.target.table,
            write_disposition=writer.write_disposition,
            partition=self.writer.partition,
            partition_type=writer.partitioning.type if writer.partitioning else "DAY",
        )


def publication_of(jobs: Sequence[Job], target: TableName) -> Publication | None:
    """Find the one job that writes a step's target, as the last of the plan; None where there is no such."""
    writers = [job for job in jobs if job.destination == target.table]
    if len(writers) != 1 or writers[0] is not jobs[-1]:
        return None
    (writer,) = writers
    if isinstance(writer, QueryJob) and writer.statement_type is StatementType.SELECT:
        return Publication(writer=writer, target=target)
    return None


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
    return (*jobs[:-1], publication.to_candidate, *checking, publication.publishing(sql, limit))
