"""Questions to BigQuery about tenants' SQL: none is asked, and none answered, past the firewall."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from common.errors import QueryRefused, Unavailable, WarehouseError
from common.pipelines.job_judgements import judge_job, judge_reading
from common.pipelines.tables import Policy
from common.runs.ports import DryRun, JobReport, StepJob, StepJobs
from common.runs.retries import is_limit

NOT_FOR_NOW = "quotaExceeded"
"""A day's quota: it passes, but not while a run waits, unless it is a limit (`common.runs.retries`)."""


def not_begun(job: StepJob) -> JobReport:
    """Report a job that is not there yet."""
    return JobReport(job_id="", is_done=False, labels=job.labels)


def refused_by(job: StepJob, error: WarehouseError) -> JobReport:
    """Report a refusal as if the job had failed by it; raise what may pass by itself, but for limits."""
    passes = isinstance(error, Unavailable) and error.reason != NOT_FOR_NOW
    if passes and not is_limit(error.reason, str(error)):
        raise error
    return JobReport(
        job_id="",
        is_done=True,
        labels=job.labels,
        error_reason=error.reason or "invalid",
        error_message=str(error),
    )


type Judgement = tuple[StepJob, DryRun] | JobReport | Unavailable
"""What came of judging a job: it may run, it is refused, or nobody can tell for now."""

type Guard = Callable[[StepJob, DryRun | None], str]
"""Judges a job's text, or where there is one its dry run: the reason why it must not run, "" where it may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyGuard:
    """Judges a job by the policy that its pipeline was compiled by: no run changes its mind half-way."""

    project_id: str

    def __call__(self, job: StepJob, dry_run: DryRun | None) -> str:
        """Say why a step must not run, "" where it may: by its text alone, or by BigQuery's reading of it."""
        policy = Policy(
            project_id=self.project_id,
            dataset=job.tenant_id,
            allowed_sources=frozenset(job.sources),
            runs_elsewhere=bool(job.credential),
        )
        reasons = judge_job(job.work, policy) if dry_run is None else judge_reading(job.work, dry_run, policy)
        return "; ".join(f"the step {reason}" for reason in dict.fromkeys(reasons))


FIREWALL = "firewall"
"""The reason of a step that the platform itself refuses."""
WITHHELD = "the step reads a table that is not there, or that is neither yours nor of an allowed source"

_NAME = r"[`\"']?([a-z][a-z0-9.-]*[a-z0-9])[:.](\w+)(?:\.([\w$*-]+))?"
_NAMED = (
    re.compile(rf"\b(?i:table|dataset|view|routine|model|function)s?(?i: not found)?:?\s+{_NAME}"),
    re.compile(rf"{_NAME} does not match any table"),
)


_UNNEST = re.compile(r"UNNEST cannot be applied on .* at \[(\d+):(\d+)\]", re.DOTALL)
_HEAD = re.compile(r"`[^`]*`|\w+")


def guarded_dry_run(jobs: StepJobs, job: StepJob, guard: Guard) -> DryRun:
    """Ask BigQuery what a statement is; QueryRefused also where the guard refuses it, before or after."""
    _refuse(guard(job, None))
    try:
        dry_run = jobs.dry_run(job)
    except WarehouseError as error:
        if found := _UNNEST.search(str(error)):
            raise QueryRefused(
                _unrecognized(job.work.sql, int(found[1]), int(found[2])), error.reason
            ) from error
        if _tells_of_others(str(error), job):
            raise QueryRefused(WITHHELD, FIREWALL) from error
        raise
    _refuse(guard(job, dry_run))
    return dry_run


def _refuse(reason: str) -> None:
    if reason:
        raise QueryRefused(reason, FIREWALL)


def _unrecognized(sql: str, line: int, column: int) -> str:
    """Say of a table in UNNEST what BigQuery says where there is none; else the message tells which it is."""
    place = "".join(sql.splitlines()[line - 1 : line])[column - 1 :]
    head = _HEAD.match(place)
    return f"Unrecognized name: {head[0] if head else ''} at [{line}:{column}]"


def _tells_of_others(message: str, job: StepJob) -> bool:
    """Tell whether a message names a table of another dataset than the job may read.

    Under a credential it is the tenant's own account that asks, and hears what it may hear anyway.
    """
    return not job.credential and any(
        dataset != job.tenant_id
        and not {project, f"{project}.{dataset}", f"{project}.{dataset}.{table}"} & {*job.sources}
        for pattern in _NAMED
        for project, dataset, table in pattern.findall(message)
    )
