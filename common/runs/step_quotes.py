"""What one step would read and be billed for, by BigQuery's dry run of its jobs, past the firewall."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from common.costs.prices import sum_of
from common.errors import QueryRefused, Unavailable, WarehouseError
from common.pipelines.pipeline import Step
from common.pipelines.plans import CheckJob, CopyJob, QueryJob, StatementType
from common.pipelines.stand_ins import LINES_BEFORE, Field, named_in, with_stand_ins
from common.runs.advice import with_advice, with_place
from common.runs.guarding import FIREWALL, Guard, guarded_dry_run
from common.runs.incremental import source_of
from common.runs.level_messages import LevelMessage
from common.runs.ports import DryRun, JobsOf, StepJob, StepJobs
from common.runs.secret_parameter_jobs import without_secrets
from common.runs.step_jobs import Position, step_job

_PLACE = re.compile(r"\bat \[(\d{1,9}):(\d{1,9})\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class StepQuote:
    """What one step would read and be billed for.

    None is unknown, and `unknown` says why; `at_least` is what is known of the bill all the same.
    `error` says why the step cannot run as it is, "" where nothing speaks against it.
    """

    step: Step
    bytes_processed: int | None = 0
    bytes_billed: int | None = 0
    at_least: int = 0
    stand_ins: tuple[str, ...] = ()
    unknown: str = ""
    error: str = ""
    error_reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepQuotes:
    """One run's questions; `made` has the columns of what its steps make, None where nobody knows them."""

    message: LevelMessage
    jobs_of: JobsOf
    guard: Guard
    project: str
    made: dict[str, Sequence[Any] | None] = field(default_factory=dict)

    def quote(self, step: Step) -> StepQuote:
        """Judge a step's jobs in their order, until one speaks against it."""
        quote = StepQuote(step=step)
        try:
            jobs = self.jobs_of(step)
        except QueryRefused as error:  # Nobody acts here under the step's account: where it runs, one does.
            self.made.update({job.destination: None for job in step.jobs if job.destination})
            return replace(quote, bytes_processed=None, bytes_billed=None, unknown=str(error))
        try:
            for number in range(len(step.jobs)):
                job = source_of(without_secrets(step_job(self.message, step, Position(job=number))))
                quote = _added(quote, self._job(jobs, job))
        except Unavailable:
            raise
        except WarehouseError as error:
            told = str(error)
            if error.reason != FIREWALL:
                told = with_advice(error.reason, told, lambda: self.made)
            return replace(
                quote, bytes_processed=None, bytes_billed=None, error=told, error_reason=error.reason
            )
        return quote

    def _job(self, jobs: StepJobs, job: StepJob) -> "_Answer":
        work = job.work
        if not isinstance(work, QueryJob | CheckJob):
            if reason := self.guard(job, None):
                raise QueryRefused(reason, FIREWALL)
            if work.destination:
                source = work.sources[0].rpartition(".")[2] if isinstance(work, CopyJob) else ""
                self.made[work.destination] = self.made.get(source)
            return _Answer()
        answer = self._query(jobs, job)
        if work.destination:
            # What changes a table's rows has no columns to tell; the table keeps those that it was made with.
            self.made[work.destination] = answer.schema or self.made.get(work.destination)
        return _with_null_parameters(answer, self.message, job)

    def _query(self, jobs: StepJobs, job: StepJob) -> "_Answer":
        try:
            return _answered(guarded_dry_run(jobs, job, self.guard))
        except Unavailable:
            raise
        except WarehouseError as error:
            stood_in = None if error.reason == FIREWALL else self._stood_in(jobs, job)
            if stood_in is None:
                raise type(error)(with_place(str(error), job.work), error.reason) from error
            return stood_in

    def _stood_in(self, jobs: StepJobs, job: StepJob) -> "_Answer | None":
        """Ask with stand-ins for what earlier steps make; None where the query reads nothing of that kind."""
        named = sorted(named_in(job.work.sql, self.project, job.tenant_id, tuple(self.made)))
        if not named:
            return None
        columns = {name: found for name in named if (found := self.made[name]) is not None}
        if len(columns) < len(named):
            lacking = ", ".join(name for name in named if name not in columns)
            return _unknown(f"the columns of {lacking} are not known before it is there")
        answers = [self._asked_with(jobs, job, text, columns) for text in _texts(job)]
        if None in answers:
            return _unknown(f"a WITH of the query has the name of a table: {', '.join(named)}")
        known = [one for one in answers if one is not None]
        return _unknown(
            f"what {', '.join(named)} will hold is not known before it is there",
            at_least=sum(one.bytes_billed for one in known),
            schema=known[0].schema if known else (),
            stand_ins=tuple(named),
        )

    def _asked_with(
        self, jobs: StepJobs, job: StepJob, text: str, columns: Mapping[str, Sequence[Field]]
    ) -> DryRun | None:
        work, sql = job.work, with_stand_ins(text, self.project, job.tenant_id, columns)
        if sql is None or not isinstance(work, QueryJob | CheckJob):
            return None
        work = replace(work, sql=sql)
        if isinstance(work, QueryJob):
            work = replace(work, statement_type=StatementType.SELECT, queries=(), partition="")
        try:
            return guarded_dry_run(jobs, replace(job, work=work), self.guard)
        except Unavailable:
            raise
        except WarehouseError as error:
            told = with_place(_PLACE.sub(_line_before, str(error)), job.work)
            raise type(error)(told, error.reason) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What BigQuery says of one job."""

    bytes_processed: int | None = 0
    bytes_billed: int | None = 0
    at_least: int = 0
    schema: tuple[Any, ...] = ()
    stand_ins: tuple[str, ...] = ()
    unknown: str = ""


def _unknown(why: str, **known: Any) -> _Answer:
    return _Answer(bytes_processed=None, bytes_billed=None, unknown=why, **known)


def _answered(dry_run: DryRun) -> _Answer:
    billed = dry_run.bytes_billed
    return _Answer(
        bytes_processed=dry_run.bytes_processed,
        bytes_billed=billed,
        at_least=billed,
        schema=dry_run.schema,
    )


def _added(quote: StepQuote, answer: _Answer) -> StepQuote:
    return replace(
        quote,
        bytes_processed=sum_of([quote.bytes_processed, answer.bytes_processed]),
        bytes_billed=sum_of([quote.bytes_billed, answer.bytes_billed]),
        at_least=quote.at_least + answer.at_least,
        stand_ins=tuple(dict.fromkeys((*quote.stand_ins, *answer.stand_ins))),
        unknown=quote.unknown or answer.unknown,
    )


def _with_null_parameters(answer: _Answer, message: LevelMessage, job: StepJob) -> _Answer:
    """Take the bytes back where a value that a run must give is not there: it may choose what is read."""
    required = {one.name for one in message.pipeline.parameters if one.required}
    missing = sorted(one.name for one in job.parameters if one.value is None and one.name in required)
    if not missing or answer.unknown:
        return answer
    return _unknown(f"it depends on {', '.join(missing)}, which a run must be given", schema=answer.schema)


def _texts(job: StepJob) -> tuple[str, ...]:
    """Return the queries that a statement consists of."""
    work = job.work
    if isinstance(work, QueryJob) and work.statement_type is not StatementType.SELECT:
        return work.queries
    return (work.sql,)


def _line_before(found: re.Match[str]) -> str:
    return f"at [{max(1, int(found[1]) - LINES_BEFORE)}:{found[2]}]"
