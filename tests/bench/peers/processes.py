"""What processes take: those of a session, as Linux tells of them in /proc."""

import os
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Seconds of a core so far, and the most memory that one process has held, in MiB."""

    cpu_seconds: float
    peak_mib: float


def usage_of_session(session: int) -> Usage:
    """Add up the processes of one session that are still there."""
    found = [folder for folder in Path("/proc").iterdir() if folder.name.isdecimal()]
    ticks, peak = 0, 0.0
    for folder in found:
        try:
            fields = (folder / "stat").read_text().rpartition(") ")[2].split()
            if int(fields[3]) != session:
                continue
            ticks += sum(map(int, fields[11:15]))  # Its own and those of children that have ended.
            peak = max(peak, _peak_mib((folder / "status").read_text()))
        except (FileNotFoundError, ProcessLookupError):
            continue  # It has ended meanwhile.
    return Usage(cpu_seconds=ticks / TICKS_PER_SECOND, peak_mib=peak)


def _peak_mib(status: str) -> float:
    return next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM")), 0)
