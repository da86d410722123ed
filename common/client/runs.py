"""Runs: start, look at, follow back, cancel, retry."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict, cast
from uuid import uuid4

from common.client.api import Api
from common.client.calls import Call, Content, segment
from common.client.paging import walk
from common.client.quality import Check
from common.client.tenant import Price

RUNS = "/api/v1/pipelines"


class RunAccepted(TypedDict):
    """The run that a request is about, as it stands."""

    pipeline_logging_id: str
    pipeline_id: str
    tenant_id: str
    status: str
    message: str
    links: Mapping[str, str]
    retry_of: NotRequired[str]


class RunFigures(TypedDict):
    """What a run's steps have come to so far."""

    rows_processed: int | None
    bytes_processed: int | None
    bytes_billed: int | None
    own_project_bytes_billed: int | None
    cost: float | None


class Run(TypedDict):
    """One run, without its steps; `figures` are in a status, and in a list that was asked for them."""

    pipeline_logging_id: str
    pipeline_id: str
    tenant_id: str
    config_version: int | None
    status: str
    trigger_type: str | None
    trigger_by: str | None
    run_date: str | None
    interval_start: str | None
    interval_end: str | None
    queued_at: str | None
    start_time: str
    end_time: str | None
    duration_ms: int | None
    error_message: str | None
    retry_of: str | None
    retried_by: list[str]
    left_out: list[str]
    refused_firings: Mapping[str, Any] | None
    figures: NotRequired[RunFigures]
    links: Mapping[str, str]


class RunStep(TypedDict):
    """A step of a run, by its latest attempt."""

    step_id: str
    ps_type: str | None
    status: str
    attempt: int | None
    job_id: str | None
    job_name: str | None
    target_table: str | None
    rows_processed: int | None
    bytes_processed: int | None
    bytes_billed: int | None
    cost: float | None
    start_time: str | None
    end_time: str | None
    duration_ms: int | None
    error_reason: str | None
    error_message: str | None
    error_class: str | None
    next_step: str | None
    job_url: str | None
    checks: list[Check]


class RunLevel(TypedDict):
    """The steps that run at the same time."""

    level: int
    status: str
    steps: list[RunStep]


class RunStatus(Run):
    """One run with its levels and steps."""

    error_reason: str | None
    error_class: str | None
    next_step: str | None
    parameters: Mapping[str, Any]
    price: Price
    levels: list[RunLevel]


class RunAttempt(TypedDict):
    """One attempt of a step, by its BigQuery job."""

    step_id: str
    level: int
    attempt: int
    status: str
    job_id: str
    job_name: str
    job_project: str | None
    target_table: str | None
    statement_hash: str | None
    start_time: str | None
    end_time: str | None
    rows_processed: int | None
    bytes_processed: int | None
    bytes_billed: int | None
    error_reason: str | None
    metadata: dict[str, Any]


class RunReceipt(TypedDict):
    """A run with every job that it made in BigQuery."""

    pipeline_logging_id: str
    pipeline_id: str
    tenant_id: str
    status: str
    start_time: str
    end_time: str | None
    attempts: list[RunAttempt]


class RunStatement(TypedDict):
    """The SQL of one job of a run; whether it is what ran, None where the job has not been tried."""

    step_id: str
    job_name: str
    sql: str
    is_as_run: bool | None


class RunHistory(TypedDict):
    """A page of runs."""

    runs: list[Run]
    next_cursor: str | None


class QueuedRun(TypedDict):
    """A run that waits for a free slot."""

    pipeline_logging_id: str
    pipeline_id: str
    position: int
    priority: int
    trigger_type: str
    scheduled_time: str
    added_at: str
    expires_at: str
    links: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Runs:
    """A tenant's runs."""

    api: Api

    def start(
        self, config_id: str, request: Mapping[str, Any] | None = None, idempotency_key: str = ""
    ) -> RunAccepted:
        """Run a pipeline; whatever gets lost on the way, one call of this starts one run."""
        call = Call(
            method="POST",
            path=f"{RUNS}/run/{segment(config_id)}",
            content=Content.json(request or {}),
            headers={"Idempotency-Key": idempotency_key or str(uuid4())},
            is_repeatable=True,
        )
        return cast("RunAccepted", self.api.send(call).body)

    def status(self, run_id: str, wait: int | None = None) -> RunStatus:
        """Show a run with its levels and steps; wait so many seconds for it to end or get further."""
        return cast("RunStatus", self.api.get(f"{RUNS}/status/{segment(run_id)}", wait=wait or None))

    def receipt(self, run_id: str) -> RunReceipt:
        """Show every job that a run made in BigQuery."""
        return cast("RunReceipt", self.api.get(f"{RUNS}/runs/{segment(run_id)}/receipt"))

    def statements(self, run_id: str) -> list[RunStatement]:
        """Show the SQL of a run's jobs."""
        found = self.api.get(f"{RUNS}/runs/{segment(run_id)}/statements")
        return cast("list[RunStatement]", found["statements"])

    def cancel(self, run_id: str) -> RunAccepted:
        """Cancel a run; a repeat does no harm."""
        path = f"{RUNS}/cancel/{segment(run_id)}"
        return cast("RunAccepted", self.api.post(path, is_repeatable=True))

    def retry(self, run_id: str, request: Mapping[str, Any] | None = None) -> RunAccepted:
        """Run again what did not complete; while that is under way a repeat answers with it."""
        path = f"{RUNS}/retry/{segment(run_id)}"
        return cast("RunAccepted", self.api.post(path, request or {}, is_repeatable=True))

    def history(self, **filters: Any) -> RunHistory:
        """Return a page of runs: `status`, `pipeline_id`, `from`, `to`, `limit`, `cursor`, `figures`."""
        return cast("RunHistory", self.api.get(f"{RUNS}/history", **filters))

    def each(self, **filters: Any) -> Iterator[Run]:
        """Yield runs, the last asked for first, over all pages."""
        return walk(lambda cursor: self.history(**filters, cursor=cursor), "runs", "next_cursor")

    def queue(self) -> list[QueuedRun]:
        """List the runs that wait for a free slot; whose turn is next comes first."""
        return cast("list[QueuedRun]", self.api.get(f"{RUNS}/queue")["runs"])
