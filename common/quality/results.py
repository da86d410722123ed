"""Results: what came of one check in one run, as it is written down and told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from common.quality.verdicts import CheckStatus, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """A verdict, of which step and table, and by which job. A repeat of it has the same `key`."""

    run_id: str
    step_id: str
    table: str
    verdict: Verdict
    job_id: str
    started_at: datetime
    ended_at: datetime

    @property
    def key(self) -> str:
        """Name the result: a step has one of each of its checks."""
        return f"{self.run_id}-{self.step_id}-{self.verdict.check.name}"


def why_failed(results: Sequence[CheckResult]) -> str:
    """Say which checks keep a step from going on, "" where none does."""
    failed = [one.verdict for one in results if one.verdict.status is CheckStatus.FAILED]
    if not failed:
        return ""
    told = "; ".join(str(verdict) for verdict in failed)
    return f"{len(failed)} of {len(results)} checks of {results[0].table} failed: {told}"
