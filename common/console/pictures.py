"""Pictures as SVG: how states, times and orders look. Colours come from the stylesheet, by class.

Each has a title, which is what a screen reader says of it; tables beside them hold the same in words.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

from markupsafe import Markup

from common.client.quality import Check
from common.client.runs import Run, RunLevel, RunStatus
from common.times import from_rfc3339
from common.words import in_bytes, in_time, visible

STATES = ("COMPLETED", "FAILED", "CANCELLED", "RUNNING", "PENDING", "QUEUED", "SKIPPED")
STRIP_HEIGHT = 60
DAY_WIDTH = 22
ROW_HEIGHT = 26
NAME_WIDTH = 190
TIME_WIDTH = 700
BOX_WIDTH = 170
BOX_HEIGHT = 34
GAP = 46
PLOT_WIDTH = 1112
PLOT_HEIGHT = 90
AXIS = 20
MAX_NAME = 22
MAX_TITLE = 300
MARK_WIDTH = 8
MARK_HEIGHT = 18
MARK_TOPS = {"PASSED": 10, "WARNED": 5}
"""Where the marks of results begin: what is wrong stands out without its colour, too."""


def strip(runs: Sequence[Run], days: int, today: date) -> Markup:
    """Draw the runs of the last days, a bar for each day, its parts by state."""
    counts: dict[date, Counter[str]] = {}
    for run in runs:
        day = from_rfc3339(run["start_time"]).date()
        counts.setdefault(day, Counter())[run["status"]] += 1
    most = max((count.total() for count in counts.values()), default=1)
    bars = []
    for place in range(days):
        day = today - timedelta(days=days - 1 - place)
        count = counts.get(day, Counter())
        told = ", ".join(f"{count[state]} {state}" for state in STATES if count[state]) or "no runs"
        bars.append(_day(place, count, most, f"{day}: {told}"))
    title = f"Runs of the last {days} days by state: {sum(count.total() for count in counts.values())} in all"
    return _svg(days * DAY_WIDTH, STRIP_HEIGHT + 14, title, bars)


def _day(place: int, count: Counter[str], most: int, told: str) -> Markup:
    left = place * DAY_WIDTH + 3
    parts, top = [], float(STRIP_HEIGHT)
    for state in STATES:
        height = count[state] / most * STRIP_HEIGHT
        top -= height
        if height:
            parts.append(_rectangle(left, top, DAY_WIDTH - 6, height, state))
    parts.append(_rectangle(left, STRIP_HEIGHT + 2, DAY_WIDTH - 6, 2, "axis"))
    return Markup("<g><title>{}</title>{}</g>").format(told, Markup("").join(parts))


def bar(share: float, told: str) -> Markup:
    """Draw a limit's use, a share of one."""
    used, kind = min(max(share, 0.0), 1.0) * 200, "full" if share >= 1 else "used"
    return _svg(200, 10, told, [_rectangle(0, 0, 200, 10, "room"), _rectangle(0, 0, used, 10, kind)])


def levels(run_levels: Sequence[RunLevel], edges: Sequence[tuple[str, str]] | None = None) -> Markup:
    """Draw the steps of a run, level by level from left to right, each in the colour of its state.

    `edges` say which step waits for which: its ID comes behind that of the other. Without them an arrow leads
    from each level to the next.
    """
    if edges is None:
        firsts = [level["steps"][0]["step_id"] for level in run_levels if level["steps"]]
        edges = list(pairwise(firsts))
    places = {
        step["step_id"]: (place * (BOX_WIDTH + GAP) + 4, row * (BOX_HEIGHT + 10) + 4)
        for place, level in enumerate(run_levels)
        for row, step in enumerate(level["steps"])
    }
    known = [(places[first], places[then]) for first, then in edges if {first, then} <= places.keys()]
    boxes = [
        _box(*places[step["step_id"]], step["step_id"], step["status"])
        for level in run_levels
        for step in level["steps"]
    ]
    names = "; ".join(
        f"level {level['level']}: {', '.join(step['step_id'] for step in level['steps'])}"
        for level in run_levels
    )
    tallest = max((len(level["steps"]) for level in run_levels), default=1)
    width = len(run_levels) * (BOX_WIDTH + GAP) - GAP + 8
    drawn = [*(_arrow(first, then) for first, then in known), *boxes]
    return _svg(max(width, BOX_WIDTH), tallest * (BOX_HEIGHT + 10) + 4, f"Steps by level. {names}", drawn)


def gantt(run: RunStatus, now: datetime) -> Markup:
    """Draw when each step of a run was at work."""
    steps = [
        (step, from_rfc3339(step["start_time"]))
        for level in run["levels"]
        for step in level["steps"]
        if step["start_time"]
    ]
    begin = from_rfc3339(run["start_time"])
    end = max([from_rfc3339(run["end_time"]) if run["end_time"] else now, begin + timedelta(milliseconds=1)])
    whole = (end - begin).total_seconds()
    drawn = []
    for row, (step, began) in enumerate(steps):
        ended = from_rfc3339(step["end_time"]) if step["end_time"] else end
        first = min(max((began - begin).total_seconds() / whole, 0.0), 1.0)
        last = min(max((ended - begin).total_seconds() / whole, first), 1.0)
        top = row * ROW_HEIGHT + 4
        drawn.append(_text(0, top + 14, _short(step["step_id"])))
        told = in_time((ended - began).total_seconds() * 1000)
        drawn.append(_text(NAME_WIDTH + last * TIME_WIDTH + 8, top + 14, told, "quiet"))
        drawn.append(
            _rectangle(
                NAME_WIDTH + first * TIME_WIDTH,
                top,
                max((last - first) * TIME_WIDTH, 2),
                ROW_HEIGHT - 8,
                step["status"],
                f"{step['step_id']}: {step['status']}, {told}",
            )
        )
    height = max(len(steps), 1) * ROW_HEIGHT + 4
    return _svg(NAME_WIDTH + TIME_WIDTH + 90, height, f"When each of {len(steps)} steps was at work", drawn)


def durations(runs: Sequence[Run]) -> Markup:
    """Draw how long runs took, the oldest first, a bar for each in the colour of its state."""
    ended = [run for run in reversed(runs) if run["duration_ms"] is not None]
    bars = [
        (
            run["duration_ms"],
            run["status"],
            f"{run['start_time']}: {in_time(run['duration_ms'])}, {run['status']}",
        )
        for run in ended
    ]
    longest = max((length for length, _, _ in bars), default=0)
    told = f"Durations of the last {len(bars)} runs; the longest took {in_time(longest)}"
    return _plot(bars, in_time(longest), told)


def rows(runs: Sequence[Run]) -> Markup:
    """Draw how many rows the steps of runs have written, the oldest run first."""
    known = [run for run in reversed(runs) if run["figures"]["rows_processed"] is not None]
    bars = [
        (count, run["status"], f"{run['start_time']}: {count:,} rows, {run['status']}")
        for run in known
        for count in (run["figures"]["rows_processed"],)
    ]
    most = f"{max((count for count, _, _ in bars), default=0):,}"
    return _plot(bars, most, f"Rows that the last {len(bars)} runs have written; the most were {most}")


def verdicts(results: Sequence[Check]) -> Markup:
    """Draw what came of a check run after run, the oldest first: a mark for each, high where it is broken."""
    counts = Counter(one["status"] for one in results)
    told = ", ".join(f"{count} {state}" for state, count in counts.items())
    marks = [
        _rectangle(
            place * MARK_WIDTH,
            MARK_TOPS.get(one["status"], 0),
            MARK_WIDTH - 2,
            MARK_HEIGHT - MARK_TOPS.get(one["status"], 0),
            one["status"],
            f"{one['checked_at']}: {one['status']}, {one['observed'] or 'nothing told'}",
        )
        for place, one in enumerate(results)
    ]
    return _svg(len(results) * MARK_WIDTH, MARK_HEIGHT, f"The last {len(results)} results: {told}", marks)


def billed(days: Sequence[Mapping[str, Any]]) -> Markup:
    """Draw what each day was billed for."""
    bars = [
        (day["bytes_billed"], "used", f"{day['name']}: {in_bytes(day['bytes_billed'])} of {day['runs']} runs")
        for day in days
    ]
    most = in_bytes(max((length for length, _, _ in bars), default=0))
    return _plot(bars, most, f"Billed on each of {len(bars)} days; the most was {most}")


def _plot(bars: Sequence[tuple[float, str, str]], most: str, told: str) -> Markup:
    """Draw bars from left to right, each with its length, colour and words; the longest is written out."""
    longest = max((length for length, _, _ in bars), default=0) or 1
    width = min(PLOT_WIDTH / max(len(bars), 1), 28)
    drawn = [
        _rectangle(0, AXIS, PLOT_WIDTH, 1, "axis"),
        _rectangle(0, AXIS + PLOT_HEIGHT, PLOT_WIDTH, 1, "axis"),
        _text(0, AXIS - 6, most, "quiet"),
    ]
    for place, (length, kind, said) in enumerate(bars):
        height = max(length / longest * PLOT_HEIGHT, 1)
        top = AXIS + PLOT_HEIGHT - height
        drawn.append(_rectangle(place * width, top, max(width - 2, 1), height, kind, said))
    return _svg(PLOT_WIDTH, AXIS + PLOT_HEIGHT + 4, told, drawn)


def _box(left: float, top: float, name: str, state: str) -> Markup:
    return Markup("<g>{}{}</g>").format(
        _rectangle(left, top, BOX_WIDTH, BOX_HEIGHT, state, f"{name}: {state}", 6),
        _text(left + 10, top + BOX_HEIGHT / 2 + 5, _short(name), "on-state"),
    )


def _arrow(first: tuple[float, float], then: tuple[float, float]) -> Markup:
    """Draw an arrow from one box to another, each by its left upper corner."""
    start, end = first[0] + BOX_WIDTH + 4, then[0] - 4
    above, below, bend = first[1] + BOX_HEIGHT / 2, then[1] + BOX_HEIGHT / 2, GAP / 2
    curve = Markup("M{:.1f} {:.1f} C{:.1f} {:.1f} {:.1f} {:.1f} {:.1f} {:.1f}").format(
        start, above, start + bend, above, end - bend, below, end, below
    )
    return Markup('<path class="arrow" d="{} m-5 -4 l5 4 l-5 4"/>').format(curve)


def _rectangle(
    left: float, top: float, width: float, height: float, kind: str, told: str = "", radius: int = 2
) -> Markup:
    title = Markup("<title>{}</title>").format(_told(told)) if told else ""
    return Markup(
        '<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="{}">{}</rect>'
    ).format(f"state-{kind}", left, top, width, height, radius, title)


def _text(left: float, baseline: float, text: str, kind: str = "name") -> Markup:
    return Markup('<text class="{}" x="{:.1f}" y="{:.1f}">{}</text>').format(
        kind, left, baseline, visible(text)
    )


def _svg(width: float, height: float, title: str, parts: Sequence[Markup]) -> Markup:
    return Markup(
        '<svg role="img" aria-label="{}" viewBox="0 0 {:.0f} {:.0f}" width="{:.0f}" height="{:.0f}">{}</svg>'
    ).format(_told(title), width, height, width, height, Markup("").join(parts))


def _told(text: str) -> str:
    """Write a title: what the text hides is written out, and of a long one its beginning."""
    return visible(text if len(text) <= MAX_TITLE else f"{text[: MAX_TITLE - 1]}…")


def _short(name: str) -> str:
    return name if len(name) <= MAX_NAME else f"{name[: MAX_NAME - 1]}…"
