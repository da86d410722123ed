"""Subscription plans; `plans.json` is the one place that holds their numbers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PLANS_FILE = Path(__file__).parent / "plans.json"
DEFAULT_PLAN = "STARTER"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a subscription grants: runs per UTC day, per UTC month and at once, and people."""

    name: str
    daily_limit: int
    monthly_limit: int
    concurrent_limit: int
    max_team_members: int


@cache
def plans() -> Mapping[str, Plan]:
    """Read all plans, by name, the smallest first."""
    entries = json.loads(PLANS_FILE.read_text(encoding="utf-8"))
    return {name: Plan(name=name, **limits) for name, limits in entries.items()}


def find_plan(name: str) -> Plan | None:
    """Return the plan of that name, in whatever case it is written; None where there is none."""
    return plans().get(name.upper())
