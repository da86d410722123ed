"""How right estimates are: what the last runs of a step were billed for, of what their dry runs said."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

LOOKED_BACK = timedelta(days=90)
LAST_RUNS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What the jobs of some runs of a step were estimated at and billed for, where both are known."""

    runs: int
    estimated: int
    billed: int

    @property
    def ratio(self) -> float | None:
        """What was billed in parts of what was estimated; None where nothing was."""
        return round(self.billed / self.estimated, 4) if self.estimated else None

    def expected(self, estimate: int | None) -> int | None:
        """Return what an estimate is likely to come to; None where that is not known."""
        if estimate is None or not self.estimated:
            return None
        return estimate * self.billed // self.estimated


NOTHING_LEARNED = Learned(runs=0, estimated=0, billed=0)


class LearnedReader(Protocol):
    """Where it is read what runs came to."""

    def read_learned(
        self, tenant_id: str, config_id: str, since: datetime, most: int
    ) -> Mapping[str, Learned]:
        """Return, by step, the sums over the last runs of a pipeline, `most` of each step."""
