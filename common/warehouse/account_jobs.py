"""Steps under an account of the tenant's own, in the tenant's project (`common.runs.ports.StepJobs`)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from google.cloud import bigquery

from common.errors import AlreadyExists
from common.pipelines.plans import WriteDisposition
from common.runs.ports import DryRun, JobReport, StepJob
from common.warehouse.jobs import RETRY, TIMEOUT_SECONDS, ExecutorJobs, time_partitioning
from common.warehouse.translation import translated

# What a column of a new table takes over from a query: no policy tags, no descriptions, and no REQUIRED,
# which the next run's rows might not be.
_TAKEN_OVER = ("name", "type", "rangeElementType")


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountJobs(ExecutorJobs):
    """Jobs that read as the tenant's account and fill a table of the tenant's dataset.

    The account cannot make that table: who can make tables can make views, and views are what the SQL
    firewall must be able to trust. So the executor makes it, empty, once the statement has been judged.
    """

    maker: bigquery.Client
    """The executor's client."""

    def prepare(self, job: StepJob, dry_run: DryRun) -> None:
        """Make the target table, empty, by what the dry run says of the rows; leave one that is there."""
        schema = [_column(column.to_api_repr()) for column in _columns(dry_run)]
        dataset = bigquery.DatasetReference(self.project, job.tenant_id)
        table = bigquery.Table(dataset.table(job.work.destination), schema=schema)
        table.time_partitioning = time_partitioning(job.work.partitioning)
        table.clustering_fields = list(job.work.clustering) or None
        try:
            with translated():
                self.maker.create_table(table, retry=RETRY, timeout=TIMEOUT_SECONDS)
        except AlreadyExists:
            return

    def _reported(self, job: bigquery.QueryJob) -> JobReport:
        # super() without arguments does not work in a class with slots.
        return replace(ExecutorJobs._reported(self, job), project=self.client.project)

    def _asking(self, job: StepJob) -> bigquery.QueryJobConfig:
        """Configure the dry run: without the target, which is made afterwards."""
        config = bigquery.QueryJobConfig(
            default_dataset=bigquery.DatasetReference(self.project, job.tenant_id),
            query_parameters=ExecutorJobs._config(self, job).query_parameters,
            labels=dict(job.labels),
            use_legacy_sql=False,
        )
        if job.work.maximum_bytes_billed is not None:
            config.maximum_bytes_billed = job.work.maximum_bytes_billed
        return config

    def _config(self, job: StepJob) -> bigquery.QueryJobConfig:
        config = ExecutorJobs._config(self, job)
        config.create_disposition = bigquery.CreateDisposition.CREATE_NEVER
        if job.work.write_disposition is WriteDisposition.TRUNCATE:
            # The account fills tables and changes none: to make the columns anew takes tables.update.
            config.write_disposition = bigquery.WriteDisposition.WRITE_TRUNCATE_DATA
        return config


def _columns(dry_run: DryRun) -> Iterable[bigquery.SchemaField]:
    return (column for column in dry_run.schema if isinstance(column, bigquery.SchemaField))


def _column(said: dict[str, Any]) -> bigquery.SchemaField:
    column = {name: said[name] for name in _TAKEN_OVER if name in said}
    column["mode"] = "REPEATED" if said.get("mode") == "REPEATED" else "NULLABLE"
    if "fields" in said:
        column["fields"] = [_column(field).to_api_repr() for field in said["fields"]]
    return bigquery.SchemaField.from_api_repr(column)
