"""A run's story, told from its rows: what happened when, and what BigQuery said."""

from collections.abc import Iterator
from dataclasses import dataclass

from cli.words import size, took
from common.client.quality import Check
from common.client.runs import RunAttempt, RunReceipt, RunStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What happened at a time, "" where that is not known, and the state that it led to."""

    at: str
    text: str
    status: str = ""


def story_of(run: RunStatus, receipt: RunReceipt) -> list[Event]:
    """Return all that is known of a run, in the order of time."""
    attempts = (event for one in receipt["attempts"] for event in _attempt(one))
    events = [*_beginnings(run), *attempts, *_checks(run)]
    # What has no time is what was never tried: it stands before the end.
    in_time = sorted((event for event in events if event.at), key=lambda event: event.at)
    return [*in_time, *_errors(run), *_end(run)]


def _beginnings(run: RunStatus) -> Iterator[Event]:
    by = " ".join(word for word in (run["trigger_type"], run["trigger_by"]) if word)
    if run["queued_at"]:
        yield Event(at=run["queued_at"], text=f"queued, asked for by {by}", status="QUEUED")
    if run["status"] != "QUEUED":
        text = f"admitted: {run['pipeline_id']} version {run['config_version']}, asked for by {by}"
        yield Event(at=run["start_time"], text=text, status="PENDING")


def _attempt(one: RunAttempt) -> Iterator[Event]:
    job = "" if one["job_name"] == "main" else f"  {one['job_name']}"
    name = f"level {one['level']}  {one['step_id']}{job}  attempt {one['attempt']}"
    if one["start_time"]:
        where = f" in {one['job_project']}" if one["job_project"] else ""
        yield Event(at=one["start_time"], text=f"{name}  job {one['job_id']}{where}", status="RUNNING")
    if one["end_time"]:
        figures = [
            f"{one['rows_processed']:,} rows" if one["rows_processed"] is not None else "",
            f"read {size(one['bytes_processed'])}" if one["bytes_processed"] is not None else "",
            f"billed {size(one['bytes_billed'])}" if one["bytes_billed"] is not None else "",
            one["error_reason"] or "",
        ]
        words = "  ".join(figure for figure in figures if figure)
        yield Event(
            at=one["end_time"], text=f"{name}  {one['status']}  {words}".rstrip(), status=one["status"]
        )


def told(check: Check) -> str:
    """Say in one line what came of a check."""
    return f"check {check['name']}  {check['status']}  {check['observed']}, expected {check['expected']}"


def _checks(run: RunStatus) -> Iterator[Event]:
    for level in run["levels"]:
        for step in level["steps"]:
            for check in step["checks"]:
                text = f"level {level['level']}  {step['step_id']}  {told(check)}"
                yield Event(at=check["checked_at"] or "", text=text, status=check["status"])


def _errors(run: RunStatus) -> Iterator[Event]:
    for level in run["levels"]:
        for step in level["steps"]:
            if step["error_message"]:
                text = f"level {level['level']}  {step['step_id']}  {step['error_message']}"
                yield Event(at=step["end_time"] or "", text=text, status=step["status"])
            elif step["status"] == "SKIPPED":
                yield Event(
                    at="", text=f"level {level['level']}  {step['step_id']}  SKIPPED", status="SKIPPED"
                )


def _end(run: RunStatus) -> Iterator[Event]:
    if run["end_time"]:
        why = f": {run['error_message']}" if run["error_message"] else ""
        yield Event(
            at=run["end_time"],
            text=f"{run['status']} after {took(run['duration_ms'])}{why}",
            status=run["status"],
        )
