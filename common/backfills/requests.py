"""What somebody asks a backfill for, and the name that it has by that."""

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from common.backfills.intervals import IntervalStep
from common.errors import InvalidInput, Violation
from common.logs import MASK
from common.pipelines.intervals import GIVEN_TO_ALL, Interval, read_bound
from common.pipelines.pipeline import SealedValue
from common.times import to_rfc3339

BACKFILLS = uuid.UUID("c1d5f0f6-4c1e-5e6f-9a1b-7f3f0e2b8d55")


class Rerun(StrEnum):
    """Which intervals run again that ran in any version: all, those that failed, or none."""

    ALL = "all"
    FAILED = "failed"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillRequest:
    """Somebody wants a config to run for each interval of a time; bounds as they were given."""

    tenant_id: str
    config_id: str
    start: str
    end: str
    step: IntervalStep
    max_parallel: int = 1
    is_newest_first: bool = False
    parameters: Mapping[str, Any] = field(repr=False)
    maximum_bytes: int | None = None
    api_key_id: str = ""
    rerun: Rerun | None = None
    """None looks at what this version has run alone."""
    over_days: bool = False
    """Whether it goes on day after day where the plan's day has no room for all of it."""

    def backfill_id(self, timezone: str, version: int) -> str:
        """Name a backfill by config, time, parameters and version; of secrets by their being given alone."""
        told = {
            name: MASK if isinstance(value, SealedValue) else value for name, value in self.parameters.items()
        }
        content = hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()
        time = self.time(timezone)
        parts = (to_rfc3339(time.start), to_rfc3339(time.end), self.step, content, str(version))
        return str(uuid.uuid5(BACKFILLS, "\n".join((self.tenant_id, self.config_id, *parts))))

    def time(self, timezone: str) -> Interval:
        """Return its time; InvalidInput where a bound is on no calendar."""
        bounds, violations = [], []
        for name, text in (("start", self.start), ("end", self.end)):
            try:
                bounds.append(read_bound(text, timezone))
            except (ValueError, OverflowError):
                violations.append(Violation(f"/{name}", "is on no calendar"))
        if violations:
            raise InvalidInput(violations, "the backfill breaks rules")
        return Interval(start=bounds[0], end=bounds[1])

    def check_parameters(self) -> None:
        """Refuse what each run gets by its interval; InvalidInput."""
        rule = "cannot be given: each run of a backfill has that of its interval"
        violations = [
            Violation(f"/parameters/{name}", rule) for name in GIVEN_TO_ALL if name in self.parameters
        ]
        if violations:
            raise InvalidInput(violations, "the backfill breaks rules")
