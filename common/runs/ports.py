"""What runs need of the outside: rows, jobs and messages.

Adapters and in-memory fakes pass the same contract tests.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from common.costs.prices import billed_bytes
from common.pipelines.grants import TenantSqlGrants
from common.pipelines.pipeline import DEFAULT_PRIORITY, BoundParameter, Pipeline, Priority, Step
from common.pipelines.plans import Job
from common.quality.contracts import FoundColumn
from common.quality.results import CheckResult
from common.runs.level_messages import LevelMessage
from common.runs.run import EndReason, Run, RunStatus, StepRow
from common.runs.tickets import Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRun:
    """A run as its rows tell it now."""

    run: Run
    status: RunStatus
    secret_names: frozenset[str] = frozenset()
    """The parameters that it was given in secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigText:
    """The version of a config that a run is to be made from."""

    config_id: str
    version: int
    text: str
    priority: int = DEFAULT_PRIORITY
    grants: TenantSqlGrants = field(default_factory=TenantSqlGrants)
    """What holds for the tenant at this moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionFacts:
    """All that one admission reads, in one query."""

    tenant_status: str
    ledger: Ledger
    config: ConfigText | None
    repeated: StoredRun | None
    """The run that has the asked run ID already."""
    refusal: str = ""
    """Why the tenant's subscription lets it run nothing, "" where it does."""


class AdmissionReads(Protocol):
    """Where an admission reads what it decides on."""

    def read_admission(self, tenant_id: str, config_id: str, run_id: str, now: datetime) -> AdmissionFacts:
        """Read it all; NotFound where the tenant has no plan."""


class RunWrites(Protocol):
    """Run and step rows: appended, never changed."""

    def check_rows_arrive(self) -> None:
        """Raise Unavailable or NotConfigured where no row can be appended now: a ticket would be lost."""

    def append_run(
        self,
        run: Run,
        status: RunStatus,
        now: datetime,
        error: str = "",
        reason: EndReason | None = None,
        bytes_billed: int | None = None,
    ) -> None:
        """Append a run's row; a terminal status also sets its end, and why that is none that was wanted.

        `bytes_billed` is what its jobs were billed for in all, None where nobody knows it.
        """

    def append_steps(self, run: Run, rows: Sequence[StepRow], now: datetime) -> None:
        """Append step rows, all in one call."""


class CheckWrites(Protocol):
    """Results of checks: appended, never changed."""

    def append_checks(self, run: Run, results: Sequence[CheckResult], now: datetime) -> None:
        """Append results, all in one call; a repeat of them adds nothing to what readers see."""


class EarlierChecks(Protocol):
    """Where a run's checks find what earlier ones have come to."""

    def read_earlier(self, run: Run, table: str, check: str, most: int) -> Sequence[float]:
        """Return the last values of a check that a pipeline's earlier runs have passed, the latest first.

        Of runs that have written theirs before this one began: a delivery that asks again reads the same.
        """


class LevelPublisher(Protocol):
    """Sends level messages."""

    def publish_level(self, message: LevelMessage) -> None:
        """Return once the message is durable; Unavailable where that is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepJob:
    """One job of a step as BigQuery is asked for it: what it does, under which ID, and on whose behalf."""

    job_id: str
    tenant_id: str
    work: Job
    parameters: tuple[BoundParameter, ...]
    timeout_seconds: int
    labels: Mapping[str, str]
    sources: tuple[str, ...] = ()
    """What its SQL may read beside the tenant's own dataset."""
    credential: str = ""
    """The credential under whose account, and in whose project, it runs; "" for the platform's."""
    priority: Priority = Priority.INTERACTIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class JobReport:
    """What BigQuery says of a job; figures once it is done."""

    job_id: str
    is_done: bool
    labels: Mapping[str, str] = field(default_factory=dict)
    error_reason: str = ""
    error_message: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    rows: int | None = None
    files: int | None = None
    """How many an extract wrote."""
    bytes_processed: int | None = None
    bytes_billed: int | None = None
    bytes_estimated: int | None = None
    """What its dry run said that it would be billed for at the most; None where this call has not asked."""
    most_billed: int | None = None
    """What BigQuery may bill for it at the most, None where it is not told."""
    details: Mapping[str, str | int | bool] = field(default_factory=dict)
    """What else BigQuery says of a job that is done: its kind, slot_ms, cache_hit and the like."""
    project: str = ""
    """Where the job is; "" is the platform's own project."""
    tables_read: int | None = None
    """How many tables the dry run named, None where nobody has asked: what is billed may follow from it."""
    is_unreadable: bool = False
    """BigQuery would not say, and will not: what the job does is not known, so no other may follow on it."""

    @property
    def has_failed(self) -> bool:
        """Tell whether the job ended in an error."""
        return self.is_done and bool(self.error_reason)


class RowColumn(Protocol):
    """A column of rows or of a table: what else BigQuery says of it, adapters keep."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def field_type(self) -> str:
        """Of which type it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """What BigQuery says a statement is, reads and calls (`project.dataset.name`), without running it."""

    statement_type: str
    tables: tuple[str, ...]
    bytes_processed: int
    routines: tuple[str, ...] = ()
    schema: tuple[RowColumn, ...] = ()
    """The columns of its rows."""

    @property
    def bytes_billed(self) -> int:
        """What a job is billed for that reads no more than this."""
        return billed_bytes(self.bytes_processed, len(self.tables))


class StepJobs(Protocol):
    """Tenants' work in BigQuery, under another identity than the platform's own."""

    def dry_run(self, job: StepJob) -> DryRun:
        """Ask what the statement is; QueryRefused with BigQuery's message where it is wrong."""

    def prepare(self, job: StepJob, dry_run: DryRun) -> None:
        """Make what the job needs and its identity may not make: its target table. A repeat does nothing."""

    def submit(self, job: StepJob) -> JobReport:
        """Start the job and do not wait. AlreadyExists where its ID is taken."""

    def find(self, job_id: str) -> JobReport | None:
        """Return the job, None where there is none of that ID."""

    def wait(self, job: StepJob, known: JobReport, seconds: float) -> JobReport:
        """Return what is known of a job once it has ended, or `seconds` have gone by.

        A query is waited for by BigQuery itself, in one request; of jobs of other kinds, and where that
        request fails, the answer comes at once: pause before asking again. What is not known anew is as in
        `known`.
        """

    def cancel(self, job_id: str) -> None:
        """Ask BigQuery to stop a job; nothing happens to one that is done or unknown."""

    def use_up(self, job_id: str, labels: Mapping[str, str]) -> None:
        """Take an ID with a job that does nothing; AlreadyExists where it is taken."""

    def columns_of(self, tenant_id: str, table: str) -> Sequence[RowColumn] | None:
        """List the columns of a table of a tenant's dataset; None where it is not there."""

    def add_columns(self, tenant_id: str, table: str, columns: Sequence[RowColumn]) -> None:
        """Give a table columns that it does not have; those that it has stay as they are."""

    def read_counts(self, job_id: str) -> Mapping[str, Any]:
        """Return the one row of a check's job that is done; QueryRefused where it is gone."""

    def found_columns(self, table: str) -> Sequence[FoundColumn]:
        """Return the columns of `project.dataset.table`; NoSuchResource where there is none."""

    def table_names(self, tenant_id: str) -> Sequence[str]:
        """Name the tables of a tenant's dataset, as many as help to find a name."""


type JobsOf = Callable[[Step], StepJobs]
"""The jobs of the identity that a step runs under; QueryRefused where a credential gives none."""


class Identities(Protocol):
    """Under whose names, and in whose projects, tenants' SQL runs."""

    def acting_for(self, pipeline: Pipeline) -> JobsOf:
        """Return the jobs of each step of a pipeline. An identity sees no other's jobs.

        A credential is opened when the first of its steps is asked for, and not again: ask anew for each
        delivery. Where nobody opens credentials, their steps are refused.
        """
