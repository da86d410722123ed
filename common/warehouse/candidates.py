"""Tables that expire by themselves: candidates, whose rows are checked first, and what jobs hand to jobs."""

from datetime import UTC, datetime

from google.api_core import exceptions as google
from google.cloud import bigquery

from common.errors import AlreadyExists
from common.pipelines.candidates import LIFETIME
from common.pipelines.plans import QueryJob, WriteDisposition
from common.runs.ports import DryRun
from common.warehouse.clients import RETRY, TIMEOUT_SECONDS
from common.warehouse.job_kinds import taken_over, time_partitioning
from common.warehouse.translation import translated


def make_candidate(
    client: bigquery.Client, dataset: bigquery.DatasetReference, work: QueryJob, dry_run: DryRun
) -> None:
    """Make an empty table for a job's rows, laid out like its target if it has one; leave one that is there.

    Rows that are added to the target need its columns, those that replace it bring their own.
    """
    target = _found(client, dataset.table(work.candidate_for)) if work.candidate_for else None
    keeps_columns = target is not None and not _replaces(work)
    candidate = bigquery.Table(
        dataset.table(work.destination),
        schema=target.schema
        if target and keeps_columns
        else [taken_over(column) for column in dry_run.schema],
    )
    candidate.expires = datetime.now(UTC) + LIFETIME
    candidate.time_partitioning = target.time_partitioning if target else time_partitioning(work.partitioning)
    candidate.range_partitioning = target.range_partitioning if target else None
    candidate.clustering_fields = target.clustering_fields if target else list(work.clustering) or None
    use = f"of {work.candidate_for} that are being checked" if work.candidate_for else "for a step's last job"
    candidate.description = f"Rows {use}; it expires by itself."
    try:
        with translated():
            client.create_table(candidate, retry=RETRY, timeout=TIMEOUT_SECONDS)
    except AlreadyExists:
        return


def _found(client: bigquery.Client, table: bigquery.TableReference) -> bigquery.Table | None:
    with translated():
        try:
            return client.get_table(table, retry=RETRY, timeout=TIMEOUT_SECONDS)
        except google.NotFound:
            return None


def _replaces(work: QueryJob) -> bool:
    return work.write_disposition is not WriteDisposition.APPEND and not work.partition
