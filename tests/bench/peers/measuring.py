"""Measuring a program: at BigQuery's door, and as the operating system tells of its processes."""

import os
import resource
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from local.bigquery import Counts
from tests.bench.peers.contestants import Contestant
from tests.bench.peers.processes import usage_of_session
from tests.bench.peers.work import Work

LOOK_SECONDS = 0.1
MAX_SHOWN = 2000
MAX_SECONDS = 600.0


class Failed(Exception):
    """A program that did not do its work; says the last that it wrote."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What carrying out some work once took."""

    seconds: float
    """From the first request that reached BigQuery to the last answer."""
    requests: int
    jobs: int
    cpu_seconds: float
    peak_mib: float
    start_seconds: float
    """From the program's start to its first request."""


def measured(contestant: Contestant, work: Work, folder: Path, counts: Counts) -> Measured:
    """Have a program do its work, and measure it; Failed where it does not."""
    folder.mkdir()
    start = contestant.prepare(work, folder, contestant.bin)
    log = folder / "output.log"
    counts.reset()
    with log.open("wb") as output:
        began = time.monotonic()
        process = subprocess.Popen(
            start.command,
            cwd=folder,
            env=dict(start.environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        peak, used = _watched(process)
    if process.returncode:
        raise Failed(f"{contestant.name}: {log.read_text(errors='replace')[-MAX_SHOWN:]}")
    return Measured(
        seconds=counts.last_answer_at - counts.first_call_at,
        requests=counts.methods.total(),
        jobs=counts.jobs(),
        cpu_seconds=used.ru_utime + used.ru_stime,
        peak_mib=peak,
        start_seconds=counts.first_call_at - began,
    )


def _watched(process: subprocess.Popen[bytes]) -> tuple[float, resource.struct_rusage]:
    """Wait for a program's end; return the most memory that one of its processes held, and what it used."""
    peak, deadline = 0.0, time.monotonic() + MAX_SECONDS
    while True:
        # What the kernel tells of a process that has ended, counts the memory of its parent too.
        peak = max(peak, usage_of_session(process.pid).peak_mib)
        ended, status, used = os.wait4(process.pid, os.WNOHANG)
        if ended:
            process.returncode = os.waitstatus_to_exitcode(status)
            return peak, used
        if time.monotonic() > deadline:
            os.killpg(process.pid, signal.SIGKILL)
        time.sleep(LOOK_SECONDS)
