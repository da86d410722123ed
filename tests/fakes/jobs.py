"""BigQuery's jobs in memory: IDs that are used once, effects that happen when a job ends."""

import re
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from google.api_core import exceptions as google

from common.claims import Claim
from common.errors import QueryRefused, WarehouseError
from common.pipelines.candidates import LIFETIME
from common.pipelines.pipeline import Pipeline, SealedValue, Step
from common.pipelines.plans import CheckJob, CopyJob, ExtractJob, FilesLoadedJob, Job, LoadJob, QueryJob
from common.quality.contracts import FoundColumn
from common.quality.verdicts import ROW_COUNT
from common.runs.files import FILES_TAKEN_OVER, TAKEN_OVER, FileClaims, ledger_name
from common.runs.ports import DryRun, JobReport, JobsOf, RowColumn, StepJob
from common.times import Clock
from common.warehouse.translation import translate
from tests.fakes.files import MemoryBuckets, MemoryLedger


@dataclass(slots=True, kw_only=True)
class Outcome:
    """How jobs of a step end: after how long, and with which error (reason, message) if any."""

    takes: timedelta = timedelta(seconds=1)
    errors: list[tuple[str, str]] = field(default_factory=list)
    """One for each attempt that fails, in order; attempts after them succeed."""
    limited: list[tuple[str, str]] = field(default_factory=list)
    """One for each job of the first attempt that fails by a limit of BigQuery's, before the others."""

    def is_limited(self, attempt: int, waits: int) -> bool:
        """Tell whether a job fails by a limit."""
        return attempt == 1 and waits < len(self.limited)

    def error_of(self, attempt: int, waits: int) -> tuple[str, str] | None:
        """Return what a job ends with, None where it ends well."""
        if self.is_limited(attempt, waits):
            return self.limited[waits]
        return self.errors[attempt - 1] if attempt <= len(self.errors) else None


def refused(status: int, reason: str, message: str) -> WarehouseError:
    """Make the error that an adapter raises where BigQuery's API answers so, the way adapters make it."""
    said = f"POST https://bigquery.googleapis.com/bigquery/v2/projects/p/jobs?prettyPrint=false: {message}"
    errors: list[Any] = [{"message": message, "domain": "global", "reason": reason}]
    return translate(google.from_http_status(status, said, errors=errors))  # type: ignore[no-untyped-call]


JOB_TYPES: dict[type[Job], str] = {LoadJob: "load", ExtractJob: "extract", CopyJob: "copy"}


def nowhere(point: str) -> None:
    """Do nothing: the hook of a test that wants no trouble."""


def _refuse_sealed(job: StepJob) -> None:
    """BigQuery's client can write no sealed value as a parameter, and fails."""
    if sealed := [one.name for one in job.parameters if isinstance(one.value, SealedValue)]:
        raise TypeError(f"parameters that were not opened: {', '.join(sealed)}")


class MemoryJobs:
    """`ClaimJobs`, `Identities` and `StepJobs`; `at` is called wherever a process can die or be slow."""

    def __init__(
        self, clock: Clock, at: Callable[[str], None] = nowhere, sleep: Callable[[float], None] | None = None
    ) -> None:
        self.clock = clock
        self.at = at
        own_sleep: Callable[[float], None] = getattr(clock, "sleep", time.sleep)
        self.sleep = sleep or own_sleep
        """How a long poll waits."""
        self.outcomes: defaultdict[str, Outcome] = defaultdict(Outcome)
        """By target table."""
        self.effects: list[StepJob] = []
        """What was written, in order: each job that ended well, once."""
        self.claims: dict[str, Claim] = {}
        self.forgotten: set[str] = set()
        """IDs that are taken, of jobs that are too old to be told of."""
        self.dry_runs: list[str] = []
        self.read_tables: dict[str, tuple[str, ...]] = {}
        """Which tables a dry run of a target's statement names; so the next two, by target table."""
        self.bytes_of: dict[str, int] = {}
        self.billed_of: dict[str, int] = {}
        """What jobs are billed for where that is not what their dry run says, by target table."""
        self.refusals: dict[tuple[str, str], tuple[int, str, str]] = {}
        """What BigQuery answers (status, reason, message) to which call ("dry run", "find", …), by target."""
        self.opened: list[str] = []
        """The credentials that were opened, in order."""
        self.unusable: dict[str, str] = {}
        """Why a credential is of no use."""
        self.unreadable = ""
        """Why BigQuery denies a look at any job."""
        self.limited: list[str] = []
        """The IDs of jobs that failed by a limit of BigQuery's."""
        self.columns: dict[str, tuple[RowColumn, ...]] = {}
        """The columns of tables that are there."""
        self.row_columns: dict[str, tuple[RowColumn, ...]] = {}
        """The columns of the rows that a job writes, by its target table."""
        self.tables: list[str] = []
        """The tables of every tenant's dataset."""
        self.counts: dict[str, dict[str, Any]] = {}
        """What the checks of a table count, by its name; where nothing is said, one row that breaks none."""
        self.found: dict[str, list[FoundColumn]] = {}
        """The columns of tables, by `project.dataset.table`."""
        self.prepared: list[str] = []
        """The target tables that were made ready."""
        self.candidates: dict[str, datetime | None] = {}
        """When each candidate expires that was made or written; None where it never does."""
        self.buckets = MemoryBuckets(clock=clock)
        self.ledgers: dict[str, MemoryLedger] = defaultdict(lambda: MemoryLedger(clock=clock, at=at))
        """Of each tenant's dataset."""
        self._jobs: dict[str, tuple[StepJob, JobReport]] = {}
        self._lock = threading.Lock()

    @property
    def submitted(self) -> list[str]:
        """The IDs of all step jobs, in order."""
        return list(self._jobs)

    @property
    def reports(self) -> list[tuple[StepJob, JobReport]]:
        """What has become of all step jobs, in the order in which they were submitted."""
        return list(self._jobs.values())

    def insert_claim(self, job_id: str, labels: Mapping[str, str]) -> Claim:
        self.at(f"before claim {job_id}")
        with self._lock:
            if job_id in self.claims or job_id in self.forgotten:
                raise _taken(job_id)
            self.claims[job_id] = Claim(job_id=job_id, labels=dict(labels), claimed_at=self.clock())
        self.at(f"after claim {job_id}")
        return self.claims[job_id]

    def find_claim(self, job_id: str) -> Claim | None:
        self.at(f"find claim {job_id}")
        return self.claims.get(job_id)

    def acting_for(self, pipeline: Pipeline) -> JobsOf:
        opened: set[str] = set()

        def jobs_of(step: Step) -> MemoryJobs:
            if step.credential and step.credential not in opened:
                opened.add(step.credential)
                self.opened.append(step.credential)
            if reason := self.unusable.get(step.credential):
                raise QueryRefused(f"the credential {step.credential} {reason}", "credential")
            return self

        return jobs_of

    def dry_run(self, job: StepJob) -> DryRun:
        self.at(f"dry run {job.job_id}")
        self.dry_runs.append(job.job_id)
        _refuse_sealed(job)
        target = job.work.destination
        self._refuse("dry run", target)
        if not isinstance(job.work, QueryJob | CheckJob):
            return DryRun(statement_type="", tables=(), bytes_processed=0)
        return DryRun(
            statement_type=job.work.statement_type if isinstance(job.work, QueryJob) else "SELECT",
            tables=self.read_tables.get(target, ()),
            bytes_processed=self.bytes_of.get(target, 0),
            schema=self.row_columns.get(target, ()),
        )

    def prepare(self, job: StepJob, dry_run: DryRun) -> None:
        self._refuse("prepare", job.work.destination)
        self.prepared.append(job.work.destination)
        if _candidate_of(job.work):
            self.at(f"before candidate {job.work.destination}")
            self.candidates.setdefault(job.work.destination, self.clock() + LIFETIME)
            self.at(f"after candidate {job.work.destination}")

    def submit(self, job: StepJob) -> JobReport:
        self.at(f"before submit {job.job_id}")
        _refuse_sealed(job)
        if isinstance(job.work, LoadJob):
            job = replace(job, work=replace(job.work, uris=self.files_of(job).claim(job, job.work)))
            self.at(f"before load {job.job_id}")
        with self._lock:
            if job.job_id in self._jobs:
                raise _taken(job.job_id)
            self._refuse("submit", job.work.destination)
            report = JobReport(
                job_id=job.job_id,
                is_done=False,
                labels=job.labels,
                started_at=self.clock(),
                project="customer-project" if job.credential else "",
                most_billed=_most_billed(job),
            )
            self._jobs[job.job_id] = (job, report)
        self.at(f"after submit {job.job_id}")
        return report

    def find(self, job_id: str) -> JobReport | None:
        self.at(f"find {job_id}")
        if self.unreadable:
            raise refused(403, "accessDenied", self.unreadable)
        with self._lock:
            if job_id not in self._jobs:
                return None
            self._refuse("find", self._jobs[job_id][0].work.destination)
            self._resolve(job_id)
            return self._jobs[job_id][1]

    def wait(self, job: StepJob, known: JobReport, seconds: float) -> JobReport:
        self.at(f"wait {job.job_id}")
        self._refuse("find", job.work.destination)
        if isinstance(job.work, QueryJob | CheckJob) and not self.unreadable:
            self._long_poll(job.job_id, min(seconds, 10.0))
        return self.find(job.job_id) or known

    def files_of(self, job: StepJob) -> FileClaims:
        return FileClaims(ledger=self.ledgers[job.tenant_id], buckets=self.buckets, jobs=self)

    def use_up(self, job_id: str, labels: Mapping[str, str]) -> None:
        self.at(f"before use up {job_id}")
        with self._lock:
            if job_id in self._jobs:
                raise _taken(job_id)
            job = StepJob(
                job_id=job_id,
                tenant_id=labels["tenant"],
                work=QueryJob(sql="SELECT 1 LIMIT 0", destination=""),
                parameters=(),
                timeout_seconds=600,
                labels={**labels, TAKEN_OVER: "taken-over"},
            )
            self._jobs[job_id] = (job, JobReport(job_id=job_id, is_done=False, labels=job.labels))
            self._end(job_id, self.clock(), (FILES_TAKEN_OVER, "another run has taken the files over"))

    def cancel(self, job_id: str) -> None:
        self.at(f"cancel {job_id}")
        with self._lock:
            if job_id in self._jobs and not self._resolve(job_id).is_done:
                self._end(job_id, self.clock(), ("stopped", "Job execution was cancelled"))

    def columns_of(self, tenant_id: str, table: str) -> Sequence[RowColumn] | None:
        self.at(f"columns of {table}")
        self._refuse("columns of", table)
        return self.columns.get(table)

    def add_columns(self, tenant_id: str, table: str, columns: Sequence[RowColumn]) -> None:
        self.at(f"add columns to {table}")
        self._refuse("add columns", table)
        there = self.columns[table]
        known = {column.name.lower() for column in there}
        new = [column for column in columns if column.name.lower() not in known]
        self.columns[table] = (*there, *new)

    def read_counts(self, job_id: str) -> dict[str, Any]:
        self.at(f"read counts {job_id}")
        work = self._jobs[job_id][0].work
        assert isinstance(work, CheckJob)
        self._refuse("read counts", work.table)
        return self.counts.get(work.table, {ROW_COUNT: 1})

    def found_columns(self, table: str) -> list[FoundColumn]:
        if table not in self.found:
            raise refused(404, "notFound", f"Not found: Table {table}")
        return self.found[table]

    def table_names(self, tenant_id: str) -> Sequence[str]:
        self._refuse("table names", tenant_id)
        return [*self.tables]

    def _long_poll(self, job_id: str, seconds: float) -> None:
        """Sleep until a job is to end, or the time is up; of a cancelled one it hears by then."""
        until = self.clock() + timedelta(seconds=seconds)
        while self._is_under_way(job_id) and self.clock() < until:
            job, report = self._jobs[job_id]
            ends = (report.started_at or until) + self.outcomes[job.work.destination].takes
            self.sleep((min(until, ends) - self.clock()).total_seconds())

    def _is_under_way(self, job_id: str) -> bool:
        with self._lock:
            return job_id in self._jobs and not self._resolve(job_id).is_done

    def resolve_all(self) -> None:
        """Let every job end that has had its time."""
        with self._lock:
            for job_id in self._jobs:
                self._resolve(job_id)

    def _refuse(self, call: str, target: str) -> None:
        if answer := self.refusals.get((call, target)):
            raise refused(*answer)

    def _resolve(self, job_id: str) -> JobReport:
        job, report = self._jobs[job_id]
        outcome = self.outcomes[job.work.destination]
        ends = (report.started_at or self.clock()) + outcome.takes
        if not report.is_done and self.clock() >= ends:
            attempt, waits = _attempt_of(job_id)
            if outcome.is_limited(attempt, waits):
                self.limited.append(job_id)
            self._end(job_id, ends, outcome.error_of(attempt, waits) or self._too_much(job))
        return self._jobs[job_id][1]

    def billed(self, job: StepJob) -> int:
        """Say what a job is billed for: what its dry run says, unless some of it was found in a cache."""
        if not isinstance(job.work, QueryJob | CheckJob):
            return 0
        target = job.work.destination
        return self.billed_of.get(target, self.bytes_of.get(target, 0))

    def _too_much(self, job: StepJob) -> tuple[str, str] | None:
        most = _most_billed(job)
        if most is None or self.billed(job) <= most:
            return None
        return "bytesBilledLimitExceeded", f"Query exceeded limit for bytes billed: {most}."

    def _rows_of(self, job: StepJob) -> int:
        """Count what a job wrote: of a load a row for each of its files."""
        return len(job.work.uris) if isinstance(job.work, LoadJob) else 1

    def _end(self, job_id: str, ended_at: datetime, error: tuple[str, str] | None) -> None:
        job, report = self._jobs[job_id]
        if error is None:
            self.effects.append(job)
            if _candidate_of(job.work):
                self.candidates.setdefault(job.work.destination, None)
            if isinstance(job.work, FilesLoadedJob):
                self.ledgers[job.tenant_id].close(ledger_name(job.work), job.labels)
            rows, files = (None, 1) if isinstance(job.work, ExtractJob) else (self._rows_of(job), None)
            report = replace(report, rows=rows, files=files, bytes_processed=0, bytes_billed=self.billed(job))
        reason, message = error or ("", "")
        done = replace(
            report,
            is_done=True,
            ended_at=ended_at,
            error_reason=reason,
            error_message=message,
            details={"job_type": JOB_TYPES.get(type(job.work), "query")},
        )
        self._jobs[job_id] = (job, done)


def _candidate_of(work: Job) -> str:
    """Name the table that a job's rows are a candidate for, "" where they are none."""
    return getattr(work, "candidate_for", "")


def _most_billed(job: StepJob) -> int | None:
    return job.work.maximum_bytes_billed if isinstance(job.work, QueryJob | CheckJob) else None


def _taken(job_id: str) -> WarehouseError:
    return refused(409, "duplicate", f"Already Exists: Job customer-project:US.{job_id}")


def _attempt_of(job_id: str) -> tuple[int, int]:
    """Read the number of an attempt, and its waits, off a job's ID."""
    found = _NUMBERS.search(job_id)
    assert found, job_id
    return int(found[1]), int(found[2] or 0)


_NUMBERS = re.compile(r"-(\d+)(?:-[a-z_]+)?(?:-w(\d+))?$")
"""How a job's ID ends: with an attempt, the name of a job but for the main one, and the waits for a limit."""
