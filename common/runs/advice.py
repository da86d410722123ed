"""What to do next about a step that failed: a sentence of ours behind BigQuery's own.

docs/errors.md has an example of each, which a test compares with what is told.
"""

import json
import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from pathlib import Path

from common.pipelines.origins import told_in_file
from common.pipelines.plans import CheckJob, Job

type TableNames = Callable[[], Iterable[str]]
"""Lists the tables of the tenant's dataset; asked only where the answer helps."""

_PLACE = re.compile(r"\bat \[(\d{1,9}):(\d{1,9})\]")
_COUNTS_OF_CHECK = re.compile(r"\bAS (?:checked|failed|observed|convergence_check)_(\d{1,3})\b")
"""What stands behind the text of each check in the statement of all."""
_MISSING_TABLE = re.compile(r"Not found: Table `?(?:[\w-]+[:.])*(?P<name>[\w$-]+)", re.IGNORECASE)
_RULES: list[dict[str, str]] = json.loads((Path(__file__).parent / "advice.json").read_text(encoding="utf-8"))
_BY_TEXT = [(re.compile(rule["text"], re.IGNORECASE), rule["advice"]) for rule in _RULES if "text" in rule]
_BY_REASON = {rule["reason"]: rule["advice"] for rule in _RULES if "reason" in rule}


def with_advice(reason: str, message: str, tables: TableNames) -> str:
    """Add to BigQuery's sentence what its reader can do, where there is something to say."""
    advice = _missing_table(message, tables) or _by_text(message) or _BY_REASON.get(reason, "")
    if not advice:
        return message
    return f"{message.rstrip()}{'' if message.rstrip().endswith(('.', '!', '?')) else '.'} {advice}"


def with_place(message: str, job: Job) -> str:
    """Add to the place in the query, as BigQuery tells it (`at [2:8]`), that in the uploaded file.

    The statement of checks is in no file: of a place in it, the check is told.
    """
    told = _PLACE.search(message)
    if told and isinstance(job, CheckJob):
        name = _check_at(job, int(told[1]), int(told[2]))
        return message.replace(told[0], f"in the check {name}", 1) if name else message
    found = told_in_file(job.places, job.sql, int(told[1]), int(told[2])) if told else None
    if not told or not found:
        return message
    behind = told.end()
    return f"{message[:behind]} (line {found[0]}, column {found[1]} of the file){message[behind:]}"


def _check_at(job: CheckJob, line: int, column: int) -> str:
    """Name the check whose text is at a place of the statement of all, "" for none."""
    before = sum(len(one) + 1 for one in job.sql.split("\n")[: line - 1])
    found = _COUNTS_OF_CHECK.search(job.sql, before + column - 1)
    number = int(found[1]) if found else len(job.checks)
    return job.checks[number].name if number < len(job.checks) else ""


def _missing_table(message: str, tables: TableNames) -> str:
    found = _MISSING_TABLE.search(message)
    if not found:
        return ""
    close = get_close_matches(found["name"], sorted(tables()), n=3)
    if close:
        return f"Did you mean {' or '.join(close)}?"
    return "It must be there before the step runs: load it, or write it by a step of an earlier level."


def _by_text(message: str) -> str:
    return next((advice for pattern, advice in _BY_TEXT if pattern.search(message)), "")
