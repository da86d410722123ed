"""What an upload is told beside its version: nothing that is refused, and yet perhaps not what was meant."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from common.errors import Violation
from common.pipelines.crontab import steps_too_long
from common.pipelines.schedule import CatchUp, Overlap, Schedule, reserved_runs
from common.pipelines.tables import TableName
from common.pipelines.tokens import Kind, Token, tokens

RARE = timedelta(days=31)
A_DAY, MINUTES_OF_DAY = timedelta(days=1), 24 * 60
_TEMPLATE = re.compile(r"\{\{.*\}\}|\{%.*%\}", re.DOTALL)
_INSTANT = timedelta(microseconds=1)
_DROPPED = {Overlap.SKIP: "skipped", Overlap.CANCEL_OLDER: "cancelled"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlOfStep:
    """A step's statement without violations, "" for none: where it stands, what it reads and writes."""

    id: str
    pointer: str
    sql: str
    reads: frozenset[TableName]
    writes: TableName | None
    partitioned_by: str = ""


def sql_warnings(steps: Sequence[SqlOfStep]) -> Iterator[Violation]:
    """Find columns that come unnamed, and whole tables that are read for lack of a filter."""
    partitioned = {step.writes: step.partitioned_by for step in steps if step.writes and step.partitioned_by}
    for step in filter(lambda step: step.sql, steps):
        words = [token for token in tokens(step.sql) if token.kind not in {Kind.SPACE, Kind.COMMENT}]
        if _takes_all_columns(words):
            rule = (
                "takes all columns as they come (SELECT *): a new column of its source changes what it writes"
            )
            yield Violation(step.pointer, f"{step.id} {rule}")
        if any(word.kind is Kind.STRING and _TEMPLATE.search(word.text) for word in words):
            rule = (
                "has {{ … }} in a string, which stays as it is: no template is filled in here; a variable is "
                "written ${name}, without quotes"
            )
            yield Violation(step.pointer, f"{step.id} {rule}")
        for table in sorted(table for table in partitioned if any(read.covers(table) for read in step.reads)):
            column = partitioned[table]
            if table != step.writes and not _names(words, column):
                rule = f"reads {table} whole: it is partitioned by {column}, on which there is no filter"
                yield Violation(step.pointer, f"{step.id} {rule}")


def schedule_warnings(schedule: Mapping[str, Any] | None, owner: str, now: datetime) -> Iterator[Violation]:
    """Find a schedule that does not fire for a month, or never again, or drops what it makes up for."""
    if not schedule:
        return
    declared = Schedule.declared(schedule, owner)
    if declared.catch_up is CatchUp.ALL and declared.overlap is not Overlap.WAIT:
        rule = (
            f"drops what `catch_up: all` makes up for: times that were missed come together, and all but "
            f"{declared.max_active_runs} of them are {_DROPPED[declared.overlap]}"
        )
        yield Violation("/schedule/overlap", rule)
    for name, field in steps_too_long(declared.cron):
        rule = f"has {field} for the {name}, a step that is longer than the field: only its first value comes"
        yield Violation("/schedule/cron", rule)
    following = declared.next_after(now)
    if not declared.is_enabled or (following and following <= now + RARE):
        return
    if following:
        rule = f"fires next at {following:%Y-%m-%dT%H:%M:%SZ}"
    else:
        has_ended = declared.end and declared.end <= now
        rule = "never fires again: it has ended" if has_ended else "never fires between its start and its end"
    yield Violation("/schedule", rule)


def plan_warnings(
    schedule: Mapping[str, Any] | None, owner: str, now: datetime, daily_limit_of: Callable[[], int | None]
) -> Iterator[Violation]:
    """Find a schedule that fires more often a day than the plan has runs for it.

    Where it fires once a day, nobody asks for the plan.
    """
    declared = Schedule.declared(schedule, owner) if schedule else None
    following = declared.next_after(now) if declared and declared.is_enabled else None
    if declared is None or following is None:
        return
    count = len(declared.between(following - _INSTANT, following + A_DAY - _INSTANT, MINUTES_OF_DAY))
    limit = daily_limit_of() if count > 1 else None
    if limit is None:
        return
    reserved = reserved_runs(limit, declared.reserve, count)
    if count > limit - reserved:
        kept = f", {reserved:,} of them kept for requests by hand (`reserve`)" if reserved else ""
        yield Violation("/schedule/cron", f"makes {count:,} firings a day; your plan has {limit:,}{kept}")


def _takes_all_columns(words: Sequence[Token]) -> bool:
    """Tell whether the outermost SELECT begins with a star; one with EXCEPT names at least what it leaves."""
    depth = 0
    for number, word in enumerate(words):
        depth += {"(": 1, ")": -1}.get(word.text, 0)
        if depth == 0 and word.text.upper() == "SELECT":
            behind = [other.text.upper() for other in words[number + 1 : number + 4]]
            if behind[:1] in (["DISTINCT"], ["ALL"]):
                behind = behind[1:]
            if behind[:1] == ["*"] and behind[1:2] != ["EXCEPT"]:
                return True
    return False


def _names(words: Sequence[Token], column: str) -> bool:
    """Tell whether a column is named anywhere behind a WHERE or an ON."""
    texts = [word.text.strip("`").upper() for word in words]
    first = next((number for number, text in enumerate(texts) if text in {"WHERE", "ON", "HAVING"}), None)
    return first is not None and column.upper() in texts[first:]
