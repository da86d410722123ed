"""The kinds of jobs: what BigQuery is asked for by each, and what its answer says of it. Nowhere else."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from google.cloud import bigquery
from google.cloud.bigquery.query import _QueryResults

from common.pipelines.pipeline import BoundParameter, Priority
from common.pipelines.plans import (
    CheckJob,
    Column,
    CopyJob,
    ExtractJob,
    FileFormat,
    LoadJob,
    Partitioning,
    QueryJob,
    StatementType,
    WriteDisposition,
)
from common.runs.files import FILES_TAKEN_OVER, TAKEN_OVER
from common.runs.ports import JobReport, RowColumn, StepJob
from common.times import to_rfc3339
from common.warehouse.bigquery import bound
from common.warehouse.translation import NO_WORD, first_reason, own_words

_POINTER = re.compile(r"Please look into the errors\[\] (?:collection|stream) for more details\.?")
_READING = "Error while reading data, error message: "
MEGABYTE = 1024 * 1024
MIN_BILLED_BYTES = 10 * MEGABYTE
_TEXT = (FileFormat.CSV, FileFormat.JSON)

type BigQueryJob = bigquery.QueryJob | bigquery.LoadJob | bigquery.ExtractJob | bigquery.CopyJob


def query_config(
    job: StepJob, work: QueryJob | CheckJob, dataset: bigquery.DatasetReference
) -> bigquery.QueryJobConfig:
    """Configure a statement; one that is no SELECT says itself what it writes."""
    config = bigquery.QueryJobConfig(
        default_dataset=dataset,
        query_parameters=[_parameter(parameter) for parameter in job.parameters],
        use_legacy_sql=False,
        **_common(job),
    )
    if job.priority is Priority.BATCH:
        config.priority = bigquery.QueryPriority.BATCH
    if work.maximum_bytes_billed is not None:  # The client would send "None".
        config.maximum_bytes_billed = work.maximum_bytes_billed
    if isinstance(work, QueryJob) and work.statement_type is StatementType.SELECT:
        config.destination = written_table(work, dataset)
        config.write_disposition = work.write_disposition.value
        config.time_partitioning = time_partitioning(work.partitioning)
        config.clustering_fields = list(work.clustering) or None
        config.schema_update_options = [option.value for option in work.schema_update] or None
    return config


def load_config(job: StepJob, work: LoadJob) -> bigquery.LoadJobConfig:
    """Configure a load; columns that nobody gives are found out."""
    config = bigquery.LoadJobConfig(
        source_format=work.format.value,
        write_disposition=work.write_disposition.value,
        autodetect=not work.columns,
        max_bad_records=work.max_bad_records,
        time_partitioning=None if work.has_layout_later else time_partitioning(work.partitioning),
        clustering_fields=None if work.has_layout_later else list(work.clustering) or None,
        schema_update_options=[option.value for option in work.schema_update] or None,
        **_common(job),
    )
    if work.columns:
        config.schema = columns_of(work)
    if work.format is FileFormat.PARQUET:  # Else a list comes as a STRUCT of a list of STRUCTs.
        config.parquet_options = bigquery.format_options.ParquetOptions.from_api_repr(
            {"enableListInference": True, "enumAsString": True}
        )
    if work.format is FileFormat.AVRO:  # Else days and times come as numbers.
        config.use_avro_logical_types = True
    if work.format in _TEXT:
        config.encoding = work.encoding
        config.ignore_unknown_values = work.ignores_unknown_values
    if work.format is FileFormat.CSV:
        config.field_delimiter = _character(work.delimiter)
        config.quote_character = work.quote
        config.null_marker = work.null_marker
        config.allow_quoted_newlines = work.has_quoted_newlines
        if work.header_rows is not None:  # The client would send "None".
            config.skip_leading_rows = work.header_rows
    return config


def _character(delimiter: str) -> str:
    """Read a tab that is written as other tools write it: single quotes of YAML know no escape."""
    return "\t" if delimiter == "\\t" else delimiter


def columns_of(work: LoadJob) -> list[bigquery.SchemaField]:
    """Return the columns that a load's files are said to have."""
    return [bigquery.SchemaField.from_api_repr(_said_of(column)) for column in work.columns]


def _said_of(column: Column) -> dict[str, Any]:
    """Say what a column is; of one without a description, or without fields, nothing is sent."""
    said: dict[str, Any] = {"name": column.name, "type": column.type, "mode": column.mode}
    if column.description:
        said["description"] = column.description
    if column.fields:
        said["fields"] = [_said_of(inner) for inner in column.fields]
    return said


def extract_config(job: StepJob, work: ExtractJob) -> bigquery.ExtractJobConfig:
    """Configure an extract."""
    config = bigquery.ExtractJobConfig(  # type: ignore[no-untyped-call]
        destination_format=work.format.value, compression=work.compression, **_common(job)
    )
    if work.format is FileFormat.CSV:
        config.field_delimiter = _character(work.delimiter)
        config.print_header = work.has_header
    return config


def copy_config(job: StepJob, work: CopyJob) -> bigquery.CopyJobConfig:
    """Configure a copy; a snapshot or a clone is always a new table."""
    config = bigquery.CopyJobConfig(operation_type=work.operation.value, **_common(job))
    config.write_disposition = work.write_disposition.value
    if work.expires_at is not None:  # The client has no property for this.
        config._properties["copy"]["destinationExpirationTime"] = to_rfc3339(work.expires_at)
    return config


def time_partitioning(partitioning: Partitioning | None) -> bigquery.TimePartitioning | None:
    """Say how a target table is divided by time."""
    if partitioning is None:
        return None
    days = partitioning.expiration_days
    return bigquery.TimePartitioning(
        type_=partitioning.type, field=partitioning.field, expiration_ms=days * 86_400_000 if days else None
    )


_USED_UP = {
    "reason": FILES_TAKEN_OVER,
    "message": "another run has taken the files over: this one had not gone on with them in time",
}
"""What a job has failed by that is there for another one not to be made."""
# What a column of a table takes over from a query: no policy tags, no descriptions, and no REQUIRED, which
# the next run's rows might not be.
_TAKEN_OVER = ("name", "type", "rangeElementType")


def taken_over(column: RowColumn) -> bigquery.SchemaField:
    """Make a column of a table from one of a query's rows."""
    if not isinstance(column, bigquery.SchemaField):
        raise TypeError(f"{column.name} is no column of BigQuery's")
    return _taken_over(column.to_api_repr())


def _taken_over(said: Mapping[str, Any]) -> bigquery.SchemaField:
    column = {name: said[name] for name in _TAKEN_OVER if name in said}
    column["mode"] = "REPEATED" if said.get("mode") == "REPEATED" else "NULLABLE"
    if "fields" in said:
        column["fields"] = [_taken_over(field).to_api_repr() for field in said["fields"]]
    return bigquery.SchemaField.from_api_repr(column)


type RowCount = Callable[[bigquery.QueryJob], int | None]
"""Counts the rows of a query whose own answer does not tell."""


def report_of(job: BigQueryJob, count: RowCount) -> JobReport:
    """Say what BigQuery says of a job; figures once it has done well."""
    is_done = job.state == "DONE"
    error: Mapping[str, Any] = job.error_result or (_USED_UP if TAKEN_OVER in job.labels else {})
    report = JobReport(
        job_id=job.job_id,
        is_done=is_done,
        labels=dict(job.labels),
        error_reason=(first_reason([error]) or "invalid") if error else "",
        error_message=_message(error, job.errors or ()) if error else "",
        started_at=job.started or job.created,
        ended_at=job.ended,
    )
    if isinstance(job, bigquery.QueryJob):
        report = replace(report, most_billed=job.maximum_bytes_billed)
    if is_done:
        report = replace(report, details=_details(job))
    return _with_figures(report, job, count) if is_done and not error else report


def _message(error: Mapping[str, Any], errors: Sequence[Mapping[str, Any]]) -> str:
    """Say what a job has failed by.

    Of rows that it cannot read, a load says only that there are some, and points at a list of the job's: a
    tenant, who cannot see that, is told the first of it in place of the pointer.
    """
    message = own_words(str(error.get("message") or NO_WORD))
    others = (own_words(str(other.get("message") or "")) for other in errors)
    first = next((other for other in others if other and other != message), "")
    if not first or not _POINTER.search(message):
        return message
    return _POINTER.sub(lambda _: first.removeprefix(_READING).rstrip(".") + ".", message)


def _details(job: BigQueryJob) -> dict[str, str | int | bool]:
    """Collect what a job's resource says beside the figures that have columns of their own."""
    statistics = job._properties.get("statistics", {})
    query = statistics.get("query", {})
    slot_ms = statistics.get("totalSlotMs")
    told = {
        "job_type": job.job_type,
        "statement_type": query.get("statementType"),
        "cache_hit": query.get("cacheHit"),
        "slot_ms": None if slot_ms is None else int(slot_ms),
    }
    return {name: value for name, value in told.items() if value is not None}


def answered(job: StepJob, known: JobReport, answer: _QueryResults) -> JobReport | None:
    """Say what the answer to a long poll says of a query that has done well; None where that is not all.

    It says neither what is billed nor how many rows were added to others, nor the time of slots. The first
    follows where no table is read, or one.
    """
    work, processed = job.work, answer.total_bytes_processed
    if isinstance(work, QueryJob) and work.write_disposition is WriteDisposition.APPEND:
        return None
    is_select = isinstance(work, CheckJob) or (
        isinstance(work, QueryJob) and work.statement_type is StatementType.SELECT
    )
    billed = _billed(processed, known.tables_read) if is_select else None
    if billed is None or answer.total_rows is None:
        return None
    details: dict[str, str | int | bool] = {"job_type": "query", "statement_type": StatementType.SELECT.value}
    if answer.cache_hit is not None:
        details["cache_hit"] = answer.cache_hit
    figures = {"rows": answer.total_rows, "bytes_processed": processed, "bytes_billed": billed}
    return replace(known, is_done=True, details=details, **figures)


def _billed(processed: int | None, tables_read: int | None) -> int | None:
    """Return what is billed for bytes: full megabytes of each table, and ten of them at the least."""
    if tables_read == 0:
        return 0
    if tables_read == 1 and processed:
        return max(MIN_BILLED_BYTES, -(-processed // MEGABYTE) * MEGABYTE)
    return None


def _with_figures(report: JobReport, job: BigQueryJob, count: RowCount) -> JobReport:
    match job:
        case bigquery.QueryJob():
            return replace(
                report,
                rows=_rows_of_query(job, count),
                bytes_processed=job.total_bytes_processed,
                bytes_billed=job.total_bytes_billed,
            )
        case bigquery.LoadJob():
            return replace(report, rows=job.output_rows, bytes_processed=job.input_file_bytes, bytes_billed=0)
        case bigquery.ExtractJob():
            return replace(report, files=sum(job.destination_uri_file_counts or ()), bytes_billed=0)
        case bigquery.CopyJob():
            return replace(report, rows=_rows_copied(job), bytes_billed=0)


def _rows_of_query(job: bigquery.QueryJob, count: RowCount) -> int | None:
    """Count the rows that a statement wrote: DML says so itself, of a query its plan's last stage."""
    if job.num_dml_affected_rows is not None:
        return int(job.num_dml_affected_rows)
    if (job.statement_type or "SELECT") != StatementType.SELECT:
        return None
    return int(job.query_plan[-1].records_written or 0) if job.query_plan else count(job)


def _rows_copied(job: bigquery.CopyJob) -> int | None:
    # The client has no property for this; the resource of the answer does.
    copied = job._properties.get("statistics", {}).get("copy", {}).get("copiedRows")
    return None if copied is None else int(copied)


def _common(job: StepJob) -> dict[str, Any]:
    return {"labels": dict(job.labels), "job_timeout_ms": job.timeout_seconds * 1000}


def written_table(work: QueryJob | LoadJob, dataset: bigquery.DatasetReference) -> bigquery.TableReference:
    """Name what a job writes: its table, or one partition of it."""
    is_whole = isinstance(work, LoadJob) and work.has_layout_later
    decorator = f"${work.partition}" if work.partition and not is_whole else ""
    return dataset.table(f"{work.destination}{decorator}")


def _parameter(parameter: BoundParameter) -> bigquery.ScalarQueryParameter | bigquery.ArrayQueryParameter:
    return bound(parameter.name, parameter.type, parameter.value)
