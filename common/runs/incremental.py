"""Jobs that go by the table that they change: what their statement is, is known right before they run.

The statement of such a job (`QueryJob.on_schema_change`) has places for it, which no text of a tenant's can
have: `@@columns`, `@@assignments`, `@@keys_match` and the others of `_texts`. Which columns the query
returns, BigQuery's dry run tells; which the table has, the table. Where there is none yet, or a run is to
make it anew, the job is the SELECT that makes it. A delivery that repeats this after a crash may come to
another statement: the job's ID is the lock, so one of them is carried out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from common.errors import QueryRefused
from common.pipelines.intervals import (
    BOUNDS,
    VALID_AT,
    WINDOW,
    Interval,
    in_whole_days,
    looking_back,
    of_day,
    written_as,
)
from common.pipelines.parameters import FULL_REFRESH, IS_FIRST_RUN
from common.pipelines.pipeline import BoundParameter
from common.pipelines.plans import QueryJob, SchemaChange, StatementType, WriteDisposition
from common.pipelines.tokens import Kind, tokens
from common.runs.guarding import Guard, guarded_dry_run
from common.runs.level_messages import LevelMessage
from common.runs.ports import RowColumn, StepJob, StepJobs
from common.times import to_rfc3339

SCHEMA_CHANGED = "schemaChanged"
PROTECTED = "protected"


def given_by_step(
    message: LevelMessage, work: QueryJob, column_type: str = "", *, is_first_run: bool = False
) -> dict[str, BoundParameter]:
    """Return what a step itself gives its statement: the run's interval, its window, whether it is the first.

    `column_type` is that of the column by which the table is partitioned.
    """
    timezone = message.pipeline.timezone
    interval = message.run.interval or of_day(message.run.run_date, timezone).interval
    window = looking_back(interval, timezone, _unit(work), work.lookback or 0)
    if column_type == "DATE" and WINDOW[0] in work.parameters:
        window = in_whole_days(window, timezone)
    declared = {parameter.name: parameter.type for parameter in message.run.parameters}
    types = {name: declared.get(name, "TIMESTAMP") for name in BOUNDS}
    types |= dict.fromkeys(WINDOW, column_type or "TIMESTAMP")
    given = {name: _bound(name, kind, window, timezone) for name, kind in types.items()}
    first = BoundParameter(name=IS_FIRST_RUN, type="BOOL", value=is_first_run)
    valid_at = BoundParameter(name=VALID_AT, type="TIMESTAMP", value=to_rfc3339(interval.start))
    return given | {one.name: one for one in (first, valid_at)}


def source_of(job: StepJob) -> StepJob:
    """Return the question for the rows that a job writes, as one SELECT."""
    work = job.work
    if not isinstance(work, QueryJob) or work.on_schema_change is None:
        return job
    query = QueryJob(
        sql=work.queries[0],
        destination=work.destination,
        maximum_bytes_billed=work.maximum_bytes_billed,
        parameters=work.parameters,
    )
    return _with_parameters(job, query, {})


def resolved(message: LevelMessage, job: StepJob, jobs: StepJobs, guard: Guard) -> StepJob:
    """Say what a job is by the table that is there now; QueryRefused where it may not write to that."""
    work = job.work
    if not isinstance(work, QueryJob) or work.on_schema_change is None:
        return job
    is_refresh = any(one.name == FULL_REFRESH and one.value is True for one in message.run.parameters)
    if is_refresh and work.is_protected:
        raise QueryRefused("the step is protected: no run makes its table anew", PROTECTED)
    incoming = guarded_dry_run(jobs, source_of(job), guard).schema
    there = jobs.columns_of(job.tenant_id, work.candidate_for or work.destination)
    is_first_run = there is None or is_refresh
    given = given_by_step(message, work, _column_type(work, incoming), is_first_run=is_first_run)
    if work.candidate_for:
        if not is_first_run and work.on_schema_change is SchemaChange.FAIL:
            _refuse_changes(work, incoming, there or ())
        return _with_parameters(job, work, given)
    if there is None or is_refresh:
        disposition = WriteDisposition.TRUNCATE if is_refresh else WriteDisposition.EMPTY
        first = replace(
            work,
            sql=_filled(work.first_sql, _texts(work, incoming)),
            statement_type=StatementType.SELECT,
            write_disposition=disposition,
        )
        return _with_parameters(job, first, given)
    columns = _columns_written(job, work, incoming, there, jobs)
    return _with_parameters(job, replace(work, sql=_filled(work.sql, _texts(work, columns))), given)


def _columns_written(
    job: StepJob,
    work: QueryJob,
    incoming: Sequence[RowColumn],
    there: Sequence[RowColumn],
    jobs: StepJobs,
) -> Sequence[RowColumn]:
    """Choose the columns that are written, and make those that the table is to get."""
    there = [column for column in there if column.name.lower() not in work.own_columns]
    known = {column.name.lower() for column in there}
    new = [column for column in incoming if column.name.lower() not in known]
    if work.on_schema_change is SchemaChange.APPEND_COLUMNS:
        if new:
            jobs.add_columns(job.tenant_id, work.destination, new)
        return incoming
    if work.on_schema_change is SchemaChange.FAIL:
        _refuse_changes(work, incoming, there)
    return [column for column in incoming if column.name.lower() in known]


def _refuse_changes(work: QueryJob, incoming: Sequence[RowColumn], there: Sequence[RowColumn]) -> None:
    target = work.candidate_for or work.destination
    had = [column for column in there if column.name.lower() not in work.own_columns]
    known, returned = ({column.name.lower() for column in columns} for columns in (had, incoming))
    told = [
        f"the query has {column.name}, which {target} has not"
        for column in incoming
        if column.name.lower() not in known
    ]
    told += [
        f"{target} has {column.name}, which the query has not"
        for column in had
        if column.name.lower() not in returned
    ]
    if told:
        mend = "write on_schema_change: append_columns or ignore, or run it with full_refresh"
        raise QueryRefused(f"columns have changed: {'; '.join(told)}. To go on, {mend}", SCHEMA_CHANGED)


def _texts(work: QueryJob, columns: Sequence[RowColumn]) -> dict[str, str]:
    names = [f"`{column.name}`" for column in columns]
    keys = [f"`{key}`" for key in work.keys]
    return {
        "columns": ", ".join(names),
        "source_columns": ", ".join(f"source.entry.{name}" for name in names),
        "assignments": ", ".join(f"{name} = source.entry.{name}" for name in names),
        "keys_match": " AND ".join(f"target.{key} = source.entry.{key}" for key in keys),
        "keys_are_given": " AND ".join(f"incoming.{key} IS NOT NULL" for key in keys),
        "keys_are_there": " AND ".join(f"there.{key} = incoming.{key}" for key in keys),
        "incoming_keys": ", ".join(f"incoming.{key}" for key in keys),
        "incoming_compared": _compared("incoming", names),
        "there_compared": _compared("there", names),
    }


def _compared(row: str, names: Sequence[str]) -> str:
    # NULLs are like each other in it, and arrays and structs can be compared.
    return f"TO_JSON_STRING(STRUCT({', '.join(f'{row}.{name}' for name in names)}))"


def _filled(sql: str, texts: Mapping[str, str]) -> str:
    return "".join(
        texts[piece.text[2:]] if piece.kind is Kind.SYSTEM else piece.text for piece in tokens(sql)
    )


def _with_parameters(job: StepJob, work: QueryJob, given: Mapping[str, BoundParameter]) -> StepJob:
    used = {piece.text[1:] for piece in tokens(work.sql) if piece.kind is Kind.PARAMETER}
    kept = tuple(given.get(one.name, one) for one in job.parameters if one.name in used)
    return replace(job, work=replace(work, parameters=tuple(one.name for one in kept)), parameters=kept)


def _column_type(work: QueryJob, columns: Sequence[RowColumn]) -> str:
    field = work.partitioning.field.lower() if work.partitioning else ""
    return next((column.field_type for column in columns if column.name.lower() == field), "")


def _unit(work: QueryJob) -> str:
    return work.partitioning.type if work.partitioning else "DAY"


def _bound(name: str, kind: str, window: Interval, timezone: str) -> BoundParameter:
    moment = window.start if name in {BOUNDS[0], WINDOW[0]} else window.end
    return BoundParameter(name=name, type=kind, value=written_as(kind, moment, timezone))
