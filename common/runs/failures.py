"""Whose fault a failure is, in one word, and what to do next; `failures.json` has the words."""

import json
import re
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

FAILURES_FILE = Path(__file__).parent / "failures.json"


class FailureClass(StrEnum):
    """Where the cause of a failure is."""

    YOUR_SQL = "your_sql"
    YOUR_DATA = "your_data"
    PERMISSION = "permission"
    QUOTA = "quota"
    BIGQUERY = "bigquery"
    PLATFORM = "platform"
    LATE_DATA = "late_data"

    @property
    def next_step(self) -> str:
        """What the tenant or the operator can do."""
        return str(_failures()["next_steps"][self.value])


def failure_class(reason: str, message: str) -> FailureClass | None:
    """Return where the cause of a failure is, None where nobody has said a reason.

    A reason of BigQuery's that is in no table is BigQuery's.
    """
    if not reason:
        return None
    failures = _failures()
    known = failures["reasons"].get(reason, {}).get("class", FailureClass.BIGQUERY.value)
    if known in {FailureClass.YOUR_SQL, FailureClass.LATE_DATA}:
        # One reason stands for many faults, which BigQuery's words tell apart.
        texts = (one for one in failures["texts"] if re.search(one["text"], message, re.IGNORECASE))
        known = next((one["class"] for one in texts), known)
    return FailureClass(known)


def is_bigquerys(reason: str) -> bool:
    """Tell whether a failure is a fault of BigQuery's for certain; what is in no table is none."""
    return bool(_failures()["reasons"].get(reason, {}).get("class") == FailureClass.BIGQUERY)


@cache
def _failures() -> Mapping[str, Any]:
    failures: Mapping[str, Any] = json.loads(FAILURES_FILE.read_text(encoding="utf-8"))
    return failures
