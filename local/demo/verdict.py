"""Whether a run came to what it should: its state, and the rows that it left behind."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from local.demo.errors import DemoError

EXPECTED_ROWS = Path(__file__).with_name("expected_rows.json")

type Rows = Sequence[Mapping[str, Any]]


def check_run(status: Mapping[str, Any]) -> None:
    """Raise DemoError where the run did not complete."""
    if status["status"] != "COMPLETED":
        reason = status.get("error_message") or "it does not say why"
        raise DemoError(f"the run is {status['status']}: {' '.join(reason.split())}")


def check_guide_rows(table: str, rows: Rows) -> None:
    """Raise DemoError where the guide's pipeline left other rows than it must."""
    expected = json.loads(EXPECTED_ROWS.read_text(encoding="utf-8"))
    if _in_json(rows) != expected:
        raise DemoError(f"{table} holds other rows than expected: {json.dumps(_in_json(rows))}")


def check_csv_rows(table: str, rows: Rows) -> None:
    """Raise DemoError where the pipeline that begins with a CSV left other rows than it must."""
    told = [(row["country"], row["orders"], float(row["tax"])) for row in rows]
    if sorted(told) != [("de", 2, 28.5), ("fr", 1, 16.0)]:
        raise DemoError(f"{table} holds other rows than expected: {json.dumps(_in_json(rows))}")


def check_verdicts(checks: Rows) -> None:
    """Raise DemoError where the checks of the pipeline that begins with a CSV came to something else."""
    told = [(check["name"], check["status"]) for check in checks]
    if sorted(told) != [("row_count", "PASSED"), ("taxes_are_small", "WARNED"), ("unique_country", "PASSED")]:
        raise DemoError(f"the checks came to something else: {json.dumps(told)}")


def check_any_rows(table: str, rows: Rows) -> None:
    """Raise DemoError where a pipeline of the user's own left a table without rows."""
    if not rows:
        raise DemoError(f"{table} holds no rows")


def check_view(rows: Rows) -> None:
    """Raise DemoError where the tenant's view does not show the one run, completed, with all its steps."""
    told = [(row["pipeline_status"], row["steps_completed"] == row["total_steps"]) for row in rows]
    if told != [("COMPLETED", True)]:
        raise DemoError(f"tenant_comprehensive_view shows the run otherwise: {json.dumps(_in_json(rows))}")


def _in_json(rows: Rows) -> Any:
    """Write rows as JSON can hold them: dates and numerics as text."""
    return json.loads(json.dumps(list(rows), default=str))
