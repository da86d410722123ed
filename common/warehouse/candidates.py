"""Tables that expire by themselves: candidates, whose rows are checked first, and what jobs hand to jobs."""

from collections.abc import Sequence
from datetime import UTC, datetime

from google.api_core import exceptions as google
from google.cloud import bigquery

from common.errors import AlreadyExists
from common.pipelines.candidates import LIFETIME
from common.pipelines.plans import (
    CopyJob,
    CopyOperation,
    Job,
    LoadJob,
    QueryJob,
    StatementType,
    WriteDisposition,
)
from common.runs.ports import DryRun
from common.warehouse.clients import RETRY, TIMEOUT_SECONDS
from common.warehouse.job_kinds import columns_of, taken_over, time_partitioning
from common.warehouse.translation import translated

type Candidate = QueryJob | LoadJob | CopyJob
"""A job that writes such a table, and needs it to be there: it cannot make one that expires."""


def candidate_written_by(work: Job) -> Candidate | None:
    """Return a job as one that needs such a table to be made; None where it makes its own, or has none."""
    match work:
        case QueryJob(is_temporary=True):
            return work
        case QueryJob(statement_type=StatementType.SELECT) | LoadJob() if work.candidate_for:
            return work
        case CopyJob(operation=CopyOperation.COPY) if work.candidate_for:
            return work
    return None


def expiring(moment: datetime | None, work: CopyJob) -> datetime | None:
    """Say when what a copy makes expires: a candidate that is made by its job, and not before, in a day."""
    makes_candidate = work.candidate_for and work.operation is not CopyOperation.COPY
    return datetime.now(UTC) + LIFETIME if makes_candidate else moment


def make_candidate(
    client: bigquery.Client, dataset: bigquery.DatasetReference, work: Candidate, dry_run: DryRun
) -> None:
    """Make an empty table for a job's rows, laid out like its target if it has one; leave one that is there.

    Rows that are added to the target need its columns, those that replace it bring their own. What is merged
    is laid out when it is. A table of files whose columns nobody has said has none: BigQuery finds them out.
    """
    target = _found(client, dataset.table(work.candidate_for)) if work.candidate_for else None
    pattern = _pattern(client, work, target)
    candidate = bigquery.Table(
        dataset.table(work.destination),
        schema=pattern.schema
        if pattern and (isinstance(work, CopyJob) or not _replaces(work))
        else _own_columns(work, dry_run),
    )
    candidate.expires = datetime.now(UTC) + LIFETIME
    if not (isinstance(work, LoadJob) and work.has_layout_later):
        _lay_out(candidate, work, pattern)
    use = f"of {work.candidate_for} that are being checked" if work.candidate_for else "for a step's last job"
    candidate.description = f"Rows {use}; it expires by itself."
    try:
        with translated():
            client.create_table(candidate, retry=RETRY, timeout=TIMEOUT_SECONDS)
    except AlreadyExists:
        return


def _pattern(
    client: bigquery.Client, work: Candidate, target: bigquery.Table | None
) -> bigquery.Table | None:
    """Return the table whose layout the candidate takes, None where the job itself says it."""
    if isinstance(work, QueryJob) and work.on_schema_change:
        return None
    if isinstance(work, CopyJob) and (target is None or _replaces(work)):
        with translated():
            return client.get_table(work.sources[0], retry=RETRY, timeout=TIMEOUT_SECONDS)
    return target


def _lay_out(candidate: bigquery.Table, work: Candidate, pattern: bigquery.Table | None) -> None:
    """Divide and sort a candidate; a filter that its target requires, it does not."""
    if pattern:
        candidate.time_partitioning = _unfiltered(pattern.time_partitioning)
        candidate.range_partitioning = pattern.range_partitioning
        candidate.clustering_fields = pattern.clustering_fields
    elif not isinstance(work, CopyJob):
        candidate.time_partitioning = time_partitioning(work.partitioning)
        candidate.clustering_fields = list(work.clustering) or None


def _unfiltered(partitioning: bigquery.TimePartitioning | None) -> bigquery.TimePartitioning | None:
    if partitioning is None:
        return None
    return bigquery.TimePartitioning(
        type_=partitioning.type_, field=partitioning.field, expiration_ms=partitioning.expiration_ms
    )


def _own_columns(work: Candidate, dry_run: DryRun) -> Sequence[bigquery.SchemaField]:
    if isinstance(work, LoadJob):
        return columns_of(work)
    return [taken_over(column) for column in dry_run.schema]


def _found(client: bigquery.Client, table: bigquery.TableReference) -> bigquery.Table | None:
    with translated():
        try:
            return client.get_table(table, retry=RETRY, timeout=TIMEOUT_SECONDS)
        except google.NotFound:
            return None


def _replaces(work: Candidate) -> bool:
    return work.write_disposition is not WriteDisposition.APPEND and not work.partition
