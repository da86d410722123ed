"""A run as `status` shows it."""

from datetime import UTC, datetime

from cli.progress import step_lines
from cli.screen import Screen
from cli.stories import told
from cli.words import moment, took
from common.client.runs import RunStatus

STATE = 2
PASSED = "PASSED"


def show_run(screen: Screen, run: RunStatus) -> None:
    """Show a run, its steps, and what went wrong."""
    screen.fields(
        [
            ("Run", run["pipeline_logging_id"]),
            ("Pipeline", f"{run['pipeline_id']}, version {run['config_version']}"),
            ("State", run["status"]),
            (
                "For",
                f"{moment(run['interval_start'])} to {moment(run['interval_end'])}"
                if run["interval_start"]
                else None,
            ),
            ("Asked by", ", ".join(word for word in (run["trigger_type"], run["trigger_by"]) if word)),
            ("Began", moment(run["start_time"])),
            ("Ended", moment(run["end_time"])),
            ("Took", took(run["duration_ms"])),
            ("Makes up for", run["retry_of"]),
            ("Retried by", run["retried_by"]),
            ("Left out", run["left_out"]),
            ("Parameters", ", ".join(f"{name}={value}" for name, value in run["parameters"].items())),
        ]
    )
    lines = step_lines(run, datetime.now(UTC))
    rows = [(line.level, line.step, line.status, line.duration, line.rows, line.target) for line in lines]
    screen.table(("Level", "Step", "State", "Duration", "Rows", "Target"), rows, status=STATE)
    for step in [step for level in run["levels"] for step in level["steps"]]:
        for check in step["checks"]:
            if check["status"] != PASSED:
                screen.line(f"{step['step_id']}: {told(check)}", check["status"])
    for line in lines:
        if line.error:
            screen.line(f"{line.step}: {line.error}", line.status)
    if run["error_message"] and not any(line.error for line in lines):
        screen.line(run["error_message"], run["status"])
    if run["error_class"]:
        screen.line(f"Next ({run['error_class']}): {run['next_step']}")
