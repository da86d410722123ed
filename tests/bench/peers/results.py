"""What was measured, as ratios to the script and as counts: docs/benchmarks.json keeps it."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, Self

from tests.bench.peers.measuring import Measured

FILE = Path(__file__).parents[3] / "docs" / "benchmarks.json"
KIB_PER_GIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One contestant's runs of one shape. All times, cores and memory are multiples of the script's."""

    contestant: str
    shape: str
    job_seconds: float
    rounds: int
    wall: float
    requests: int
    jobs: int
    cpu: float
    memory: float
    start: float

    @classmethod
    def of(
        cls, contestant: str, shape: str, job_seconds: float, pairs: Sequence[tuple[Measured, Measured]]
    ) -> Self:
        """Compare what was measured with what the script took in the same round."""

        def ratio(name: str) -> float:
            found = [getattr(one, name) / getattr(script, name) for one, script in pairs]
            return round(float(median(found)), 2)

        return cls(
            contestant=contestant,
            shape=shape,
            job_seconds=job_seconds,
            rounds=len(pairs),
            wall=ratio("seconds"),
            requests=max(one.requests for one, _ in pairs),
            jobs=max(one.jobs for one, _ in pairs),
            cpu=ratio("cpu_seconds"),
            memory=ratio("peak_mib"),
            start=ratio("start_seconds"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """What the platform asks of BigQuery until it answers 202."""

    shape: str
    job_seconds: float
    requests: int
    jobs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What came of one shape with jobs of one length."""

    rows: Sequence[Row]
    admissions: Sequence[Admission]
    failed: dict[str, str]
    """Those who have given up, and why."""
    repeated: int

    def write(self, file: Path) -> None:
        """Hand it over."""
        file.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, file: Path) -> Self:
        """Take it over."""
        kept: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        rows = [Row(**row) for row in kept.pop("rows")]
        return cls(rows=rows, admissions=[Admission(**one) for one in kept.pop("admissions")], **kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """A whole comparison."""

    machine: str
    latency_ms: int
    rows: Sequence[Row]
    admissions: Sequence[Admission]
    versions: dict[str, str]
    absent: dict[str, str]
    """Peers that were not measured, and why."""
    repeated: int
    """How many runs the local BigQuery failed, which were made once more."""

    def write(self) -> None:
        """Keep the results."""
        FILE.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls) -> Self:
        """Read the results that are kept."""
        kept: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
        rows = [Row(**row) for row in kept.pop("rows")]
        admissions = [Admission(**one) for one in kept.pop("admissions")]
        return cls(rows=rows, admissions=admissions, **kept)


def this_machine() -> str:
    """Say of what kind a machine is, and how busy it was."""
    total = next(
        int(line.split()[1])
        for line in Path("/proc/meminfo").read_text().splitlines()
        if line.startswith("MemTotal")
    )
    return (
        f"{os.cpu_count()} cores and {total / KIB_PER_GIB:.0f} GiB of memory, of whose cores others were "
        f"using some too: a load of {os.getloadavg()[2]:.1f} on average of the last quarter of an hour"
    )
