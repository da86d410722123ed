"""What came of a tenant's checks: each over time, and every result with what was found and expected."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from common.client.quality import CheckResult
from common.console.visits import Answered, Page, PageRoute, Visit

FILTERS = ("status", "table", "check", "pipeline_id", "cursor")
MAX_RESULTS = 100
RESULTS_SHOWN = 50
MAX_DRAWN = 30
STATES = ("FAILED", "WARNED", "PASSED")
"""What may come of a check, the worst first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckHistory:
    """One check of one step, and what came of it, the oldest first."""

    results: Sequence[CheckResult]

    @property
    def last(self) -> CheckResult:
        """What came of it the last time."""
        return self.results[-1]

    @property
    def is_broken(self) -> bool:
        """Whether it was not passed the last time."""
        return self.last["status"] != "PASSED"


def quality(visit: Visit) -> Answered:
    """Show each check over time, the broken ones first, and the results one by one."""
    asked = {name: visit.query[name] for name in FILTERS if visit.query.get(name)}
    page = visit.client.quality.results(limit=RESULTS_SHOWN, **asked)
    kept = {name: value for name, value in asked.items() if name != "cursor"}
    return Page(
        template="quality.html",
        values={
            "checks": histories_of(page["results"]),
            "results": page["results"],
            "asked": asked,
            "states": STATES,
            "older": {**kept, "cursor": page["next_cursor"]} if page["next_cursor"] else None,
        },
    )


def histories_of(results: Iterable[CheckResult]) -> list[CheckHistory]:
    """Put the results of each check together, of the latest first; the worst check comes first."""
    found: dict[tuple[str, ...], list[CheckResult]] = {}
    for one in results:
        key = (one["table"], one["name"], one["pipeline_id"] or "", one["step_id"] or "")
        found.setdefault(key, []).append(one)
    ordered = [CheckHistory(results=found[key][:MAX_DRAWN][::-1]) for key in sorted(found)]
    return sorted(ordered, key=lambda one: STATES.index(one.last["status"]))


ROUTES = (PageRoute(path="/console/quality", visit=quality),)
