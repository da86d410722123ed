"""The JSON of runs: what a list says of one, what its status adds, and the jobs of a receipt."""

from dataclasses import asdict
from typing import Any

from common.costs.prices import Price
from common.http.edge import Edge
from common.http.endpoints.checks import check_body
from common.http.endpoints.links import run_links
from common.http.endpoints.usage import as_number, price_body
from common.runs.failures import FailureClass, failure_class
from common.runs.quotes import Quotes
from common.runs.run import EndReason, RunStatus, StepStatus
from common.runs.views import AttemptView, Figures, LevelView, Receipt, RunDetails, RunView, StepView

CONSOLE = "https://console.cloud.google.com/bigquery"


def run_body(edge: Edge, run: RunView) -> dict[str, Any]:
    """Describe a run without its levels."""
    refused = run.refused_firings
    return {
        "pipeline_logging_id": run.run_id,
        "pipeline_id": run.config_id,
        "tenant_id": run.tenant_id,
        "config_version": run.config_version,
        "status": run.status.value,
        "trigger_type": run.trigger_type,
        "trigger_by": run.trigger_by,
        "run_date": run.run_date,
        "interval_start": run.interval_start,
        "interval_end": run.interval_end,
        "queued_at": run.queued_at,
        "start_time": run.started_at,
        "end_time": run.ended_at,
        "duration_ms": run.duration_ms,
        "error_message": run.error_message,
        "refused_firings": asdict(refused) if refused else None,
        "links": run_links(edge, run.run_id, run.config_id),
        "retry_of": run.retry_of,
        "retried_by": list(run.retried_by),
        "left_out": list(run.left_out),
    }


def listed_body(edge: Edge, run: RunView, price: Price) -> dict[str, Any]:
    """Describe a run as a list does: with its figures where somebody has asked for them."""
    figures = {"figures": _figures_body(run.figures, price)} if run.figures else {}
    return run_body(edge, run) | figures


def status_body(edge: Edge, run: RunDetails, quotes: Quotes) -> dict[str, Any]:
    """Describe a run with its levels and steps, and what it has come to so far."""
    more = {
        "error_reason": run.error_reason,
        "parameters": run.parameters,
        "levels": [_level_body(level, quotes) for level in run.levels],
        "figures": _figures_body(Figures.of(run.steps), quotes.price),
        "price": price_body(quotes.price),
    }
    return run_body(edge, run) | more | _failure_body(_failure_of_run(run))


def receipt_body(receipt: Receipt) -> dict[str, Any]:
    """Describe a run with every job that it made."""
    run = receipt.run
    return {
        "pipeline_logging_id": run.run_id,
        "pipeline_id": run.config_id,
        "tenant_id": run.tenant_id,
        "status": run.status.value,
        "start_time": run.started_at,
        "end_time": run.ended_at,
        "attempts": [_attempt_body(attempt) for attempt in receipt.attempts],
    }


def _level_body(level: LevelView, quotes: Quotes) -> dict[str, Any]:
    steps = [_step_body(step, quotes) for step in level.steps]
    return {"level": level.number, "status": level.status.value, "steps": steps}


def _step_body(step: StepView, quotes: Quotes) -> dict[str, Any]:
    # What a tenant's own project pays is between Google and the tenant.
    cost = None if step.job_project else quotes.price.cost(step.bytes_billed)
    return {
        "step_id": step.step_id,
        "ps_type": step.ps_type,
        "status": step.status.value,
        "attempt": step.attempt,
        "job_id": step.job_id,
        "job_name": step.job_name,
        "target_table": step.target_table,
        "rows_processed": step.rows_processed,
        "bytes_processed": step.bytes_processed,
        "bytes_billed": step.bytes_billed,
        "cost": as_number(cost),
        "start_time": step.started_at,
        "end_time": step.ended_at,
        "duration_ms": step.duration_ms,
        "error_reason": step.error_reason,
        "error_message": step.error_message,
        "job_url": _job_url(step, quotes),
        "checks": [check_body(check) for check in step.checks],
    } | _failure_body(_failure_of_step(step))


def _job_url(step: StepView, quotes: Quotes) -> str | None:
    if not step.job_id:
        return None
    project = step.job_project or quotes.project
    return f"{CONSOLE}?project={project}&j=bq:{quotes.price.location}:{step.job_id}&page=queryresults"


def _figures_body(figures: Figures, price: Price) -> dict[str, Any]:
    return asdict(figures) | {"cost": as_number(price.cost(figures.bytes_billed))}


def _failure_of_step(step: StepView) -> FailureClass | None:
    reason = step.error_reason if step.status is StepStatus.FAILED else ""
    return failure_class(reason or "", step.error_message or "")


def _failure_of_run(run: RunDetails) -> FailureClass | None:
    """Return what a run's first failed step says, or else what its own end says."""
    of_step = next((found for step in run.steps if (found := _failure_of_step(step))), None)
    has_failed = run.status is RunStatus.FAILED and run.error_reason != EndReason.STEP_FAILED
    return of_step or failure_class((run.error_reason or "") if has_failed else "", "")


def _failure_body(found: FailureClass | None) -> dict[str, Any]:
    return {"error_class": found.value if found else None, "next_step": found.next_step if found else None}


def _attempt_body(attempt: AttemptView) -> dict[str, Any]:
    return {
        "step_id": attempt.step_id,
        "level": attempt.level,
        "attempt": attempt.attempt,
        "status": attempt.status,
        "job_id": attempt.job_id,
        "job_name": attempt.job_name,
        "job_project": attempt.job_project,
        "target_table": attempt.target_table,
        "statement_hash": attempt.statement_hash,
        "start_time": attempt.started_at,
        "end_time": attempt.ended_at,
        "rows_processed": attempt.rows_processed,
        "bytes_processed": attempt.bytes_processed,
        "bytes_billed": attempt.bytes_billed,
        "error_reason": attempt.error_reason,
        "metadata": attempt.metadata,
    }
