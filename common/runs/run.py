"""A run: what is fixed at its admission, and the states that it and its steps go through."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from common.pipelines.intervals import Interval
from common.pipelines.pipeline import BoundParameter, SealedValue
from common.pipelines.plans import MAIN

FIRST_LEVEL = 1
MAX_ATTEMPTS = 10
"""As many attempts as a step can be given."""


class RunStatus(StrEnum):
    """State of a run. A PENDING run is admitted; it counts as RUNNING from its first step row on."""

    PENDING = "PENDING"
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def is_terminal(self) -> bool:
        """Tell whether nothing follows this state."""
        return self in {RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELLED}


class EndReason(StrEnum):
    """Why a run did not complete, in one word; readers count by it, and never by what its message says."""

    STEP_FAILED = "stepFailed"
    CANCELLED = "cancelled"
    TIMEOUT = "timeout"
    GIVEN_UP = "levelGivenUp"
    """A level message could not be carried out, however often it was delivered."""
    NOT_CONTINUED = "notContinued"
    """Today's rules refuse the config that the run was to go on by."""
    NEVER_BEGUN = "neverBegun"
    """What admitted the run died before it had a row."""
    BIGQUERY_FAILED = "bigqueryFailed"
    """Steps failed, all by faults of BigQuery's own."""


UNCOUNTED = frozenset({EndReason.BIGQUERY_FAILED, EndReason.GIVEN_UP, EndReason.NEVER_BEGUN})
"""Ends that are BigQuery's fault or the platform's: such a run does not count against the day's limit."""


class StepStatus(StrEnum):
    """State of one attempt of a step; SKIPPED: it will never be tried."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    SKIPPED = "SKIPPED"


class TriggerType(StrEnum):
    """What asked for a run."""

    API = "api"
    PUBSUB = "pubsub"
    SCHEDULE = "scheduler"
    BACKFILL = "backfill"
    AFTER = "after"
    """Another run has completed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """Who or what asked for a run, as far as the platform knows it."""

    type: TriggerType
    by: str
    api_key_id: str = ""
    user_id: str = ""
    """The user whom the caller names; for the record only."""

    @property
    def backfill_id(self) -> str:
        """The backfill that asked for the run, "" where none did."""
        return self.by if self.type is TriggerType.BACKFILL else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepOutline:
    """What it takes to end a step, and to write down that it has ended, whatever its config is by then."""

    step_id: str
    ps_type: str = ""
    index: int = 0
    target_table: str = ""
    attempts: int = MAX_ATTEMPTS
    """How many attempts each of its jobs can have had."""
    jobs: tuple[str, ...] = (MAIN,)
    """The names of its jobs, in order."""
    credential: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One admitted run. All its rows carry the same `started_at`, so that they share one day's partition."""

    tenant_id: str
    run_id: str
    config_id: str
    config_version: int
    ticket: int
    started_at: datetime
    run_date: date
    trigger: Trigger
    interval: Interval | None = None
    """What it is for; None in rows of before and of runs that never began."""
    parameters: tuple[BoundParameter, ...] = ()
    levels: tuple[tuple[str, ...], ...] = ()
    """The outline of the pipeline: step IDs by level."""
    steps: tuple[StepOutline, ...] = ()
    is_isolated: bool = False
    """Whether its jobs run under the tenant's own account."""
    request_hash: str = ""
    traceparent: str = ""
    retry_of: str = ""
    """The run whose failed steps this one makes up for."""
    left_out: tuple[str, ...] = ()
    """Steps of the config that it does not carry out: not chosen, or completed by the run that it retries."""
    queued_at: datetime | None = None
    """When it joined the queue, None where it never waited."""
    bytes_held: int | None = None
    """What it holds of budgets, and may be billed for at the most; None where nothing bounds it."""

    @property
    def secrets(self) -> tuple[BoundParameter, ...]:
        """The parameters whose values are sealed."""
        return tuple(one for one in self.parameters if isinstance(one.value, SealedValue))

    @property
    def step_ids(self) -> frozenset[str]:
        """The steps of this run: without those that it leaves out."""
        return frozenset(step_id for level in self.levels for step_id in level)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRow:
    """One row of the step log: a step in some state, at an attempt of one of its jobs.

    A step is COMPLETED once its last job is done. A job before that one which has done well has a row of a
    RUNNING step with an end.
    """

    step_id: str
    ps_type: str
    index: int
    level: int
    attempt: int
    status: StepStatus
    started_at: datetime
    ended_at: datetime | None = None
    job_id: str = ""
    target_table: str = ""
    statement_hash: str = ""
    rows: int | None = None
    bytes_processed: int | None = None
    bytes_billed: int | None = None
    error_reason: str = ""
    error_message: str = ""
    job_project: str = ""
    """The tenant's project in which the job ran; "" is the platform's own."""
    job_name: str = MAIN
    job_index: int = 0
    """The job's place in the step's plan, from 0."""
    metadata: Mapping[str, str | int | bool] = field(default_factory=dict)
    """What else BigQuery says of the job."""
