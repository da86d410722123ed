"""What to do next about a step that failed: a sentence of ours behind BigQuery's own.

docs/errors.md has an example of each, which a test compares with what is told.
"""

import json
import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from pathlib import Path

type TableNames = Callable[[], Iterable[str]]
"""Lists the tables of the tenant's dataset; asked only where the answer helps."""

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
