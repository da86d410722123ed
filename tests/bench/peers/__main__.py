"""Compare Convergence with a script and with its peers, and write docs/benchmarks.md: `make bench-peers`."""

import argparse
import logging
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.bench.peers.contestants import BARE_LEVELS, PEERS, UNMEASURED
from tests.bench.peers.convergence import convergence
from tests.bench.peers.document import PEERS_JOB_SECONDS, write
from tests.bench.peers.installing import installed
from tests.bench.peers.results import Part, Results, this_machine
from tests.bench.peers.rounds import Comparison
from tests.bench.peers.work import Shape

SHAPES = ("2x1", "4x5", "30x1", "10x10")
JOB_SECONDS = (PEERS_JOB_SECONDS, 0.3, 4.0)
ROUNDS = 3
ROUNDS_WITH_PEERS = 1
ROUNDS_OF_LONG_JOBS = 1
LONG_SECONDS = 2.0
LATENCY_MS = 50
TRIES = 3


def main() -> int:
    """Run all shapes with all lengths of jobs; the peers with one of them."""
    parser = argparse.ArgumentParser(prog="make bench-peers", description=__doc__)
    parser.add_argument("--peers", default=",".join(one.name for one in PEERS), help="names, by commas")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of each shape")
    parser.add_argument("--shapes", default=",".join(SHAPES), help="levels and steps: 4x5,30x1")
    parser.add_argument("--part", help="measure one shape with one length of jobs: 4x5,0.3")
    parser.add_argument("--into", type=Path, help="the file for what comes of a part")
    parser.add_argument("--render", action="store_true", help="make the page anew of what is kept")
    given = parser.parse_args()
    if given.render:
        write(Results.read())
        return 0
    peers = [one for one in PEERS if one.name in given.peers.split(",")]
    if given.part:
        shape, _, job_seconds = given.part.partition(",")
        part = _measure(Shape.read(shape), float(job_seconds), [one.name for one in peers], given.rounds)
        part.write(given.into)
        return 0
    installed([BARE_LEVELS])
    there, versions, absent = installed(peers)
    names, parts = [one.name for one in there], list[Part]()
    for job_seconds in JOB_SECONDS:
        for shape in given.shapes.split(","):
            parts.append(_part(shape, job_seconds, names, given.rounds))
            # What is known by now is written: a comparison takes the better part of an hour.
            results = _results(parts, versions, absent)
            results.write()
            write(results)
    return 0


def _results(parts: Sequence[Part], versions: dict[str, str], absent: dict[str, str]) -> Results:
    failed = {name: why for part in parts for name, why in part.failed.items()}
    return Results(
        machine=this_machine(),
        latency_ms=LATENCY_MS,
        rows=sorted((row for part in parts for row in part.rows), key=lambda row: row.job_seconds),
        admissions=[one for part in parts for one in part.admissions],
        versions=versions,
        absent=absent | failed | UNMEASURED,
        repeated=sum(part.repeated for part in parts),
    )


def _measure(shape: Shape, job_seconds: float, names: Sequence[str], rounds: int) -> Part:
    for name in ("uvicorn", "sqlglot"):
        logging.getLogger(name).setLevel(logging.ERROR)
    logging.disable(logging.INFO)
    with tempfile.TemporaryDirectory() as folder, convergence(Path(folder)) as platform:
        comparison = Comparison(
            platform=platform,
            folder=Path(folder),
            latency_seconds=LATENCY_MS / 1000,
            peers=[one for one in PEERS if one.name in names],
        )
        return comparison.part(shape, job_seconds, rounds)


def _part(shape: str, job_seconds: float, names: Sequence[str], rounds: int) -> Part:
    """Measure a part in a process of its own; once more where that dies."""
    compared = names if job_seconds == PEERS_JOB_SECONDS else ()
    many = min(rounds, ROUNDS_WITH_PEERS if compared else rounds)
    many = min(many, ROUNDS_OF_LONG_JOBS if job_seconds > LONG_SECONDS else many)
    for attempt in range(TRIES):
        with tempfile.TemporaryDirectory() as folder:
            into = Path(folder) / "part.json"
            options = ["--part", f"{shape},{job_seconds}", "--into", str(into), "--rounds", str(many)]
            command = [sys.executable, "-m", "tests.bench.peers", *options, "--peers", ",".join(compared)]
            done = subprocess.run(command, env={**os.environ, "TMPDIR": folder}, check=False)
            _end_what_is_left(Path(folder))
            if into.exists():
                part = Part.read(into)
                for row in part.rows:
                    print(row, flush=True)
                return part
            print(f"{shape}, {job_seconds:g} s: ended by {done.returncode}, try {attempt + 1}", flush=True)
    raise SystemExit(f"{shape} with jobs of {job_seconds:g} s cannot be measured")


def _end_what_is_left(folder: Path) -> None:
    """End the instances of a platform that has died."""
    for process in (one for one in Path("/proc").iterdir() if one.name.isdecimal()):
        try:
            if (process / "cwd").readlink().is_relative_to(folder):
                os.kill(int(process.name), signal.SIGKILL)
        except (FileNotFoundError, PermissionError, ProcessLookupError):
            continue


if __name__ == "__main__":
    sys.exit(main())
