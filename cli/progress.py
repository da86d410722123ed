"""A run's levels and steps as rows of a table, made from the answer to its status call."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLine:
    """One step as it is shown; texts are empty where there is nothing to say yet."""

    level: int
    step: str
    status: str
    duration: str
    rows: str
    target: str
    error: str


def step_lines(status: Mapping[str, Any], now: datetime) -> list[StepLine]:
    """Return a line per step, level by level."""
    return [_line(level["level"], step, now) for level, step in _steps(status)]


def target_tables(status: Mapping[str, Any]) -> list[str]:
    """List the tables that the run's steps write, each once, without their dataset, the last level's last."""
    named = [
        str(step["target_table"]).rpartition(".")[2] for _, step in _steps(status) if step.get("target_table")
    ]
    return list(dict.fromkeys(named))


def _steps(status: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    for level in status["levels"]:
        for step in level["steps"]:
            yield level, step


def _line(level: int, step: Mapping[str, Any], now: datetime) -> StepLine:
    # A job can be done before its step is: it says how many rows it wrote, and nobody has judged them yet.
    rows = step.get("rows_processed") if step["status"] != "RUNNING" else None
    return StepLine(
        level=level,
        step=step["step_id"],
        status=step["status"],
        duration=_duration(step, now),
        rows="" if rows is None else f"{rows:,}",
        target=step.get("target_table") or "",
        error=step.get("error_message") or "",
    )


def _duration(step: Mapping[str, Any], now: datetime) -> str:
    if step.get("duration_ms") is not None:
        return seconds(step["duration_ms"] / 1000)
    if step["status"] == "RUNNING" and step.get("start_time"):
        started = datetime.fromisoformat(step["start_time"]).astimezone(UTC)
        return seconds(max(0.0, (now - started).total_seconds()))
    return ""


def seconds(value: float) -> str:
    """Write a duration."""
    return f"{value:.1f} s"
