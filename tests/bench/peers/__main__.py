"""Compare Convergence with a script and with its peers, and write docs/benchmarks.md: `make bench-peers`."""

import argparse
import logging
import sys
import tempfile
from pathlib import Path

from tests.bench.peers.contestants import PEERS, UNMEASURED
from tests.bench.peers.convergence import convergence
from tests.bench.peers.document import PEERS_JOB_SECONDS, write
from tests.bench.peers.installing import installed
from tests.bench.peers.results import Results, Row, this_machine
from tests.bench.peers.rounds import Comparison
from tests.bench.peers.work import Shape

SHAPES = [Shape(levels=levels, steps=steps) for levels, steps in ((4, 5), (10, 10), (2, 1), (30, 1))]
JOB_SECONDS = (0.3, 1.0, 4.0)
ROUNDS = 3
ROUNDS_OF_LONG_JOBS = 1
LONG_SECONDS = 2.0
LATENCY_MS = 50


def main() -> int:
    """Run all shapes with all lengths of jobs; the peers with one of them."""
    parser = argparse.ArgumentParser(prog="make bench-peers", description=__doc__)
    parser.add_argument("--peers", default=",".join(one.name for one in PEERS), help="names, by commas")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of each shape")
    parser.add_argument("--print", action="store_true", help="print the figures, and write nothing")
    given = parser.parse_args()
    for name in ("uvicorn", "sqlglot"):
        logging.getLogger(name).setLevel(logging.ERROR)
    logging.disable(logging.INFO)
    peers, versions, absent = installed([one for one in PEERS if one.name in given.peers.split(",")])
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder, convergence(Path(folder)) as platform:
        comparison = Comparison(platform=platform, folder=Path(folder), latency_seconds=LATENCY_MS / 1000)
        comparison.begin()
        for job_seconds in JOB_SECONDS:
            comparison.peers = peers if job_seconds == PEERS_JOB_SECONDS else ()
            rounds = ROUNDS_OF_LONG_JOBS if job_seconds > LONG_SECONDS else given.rounds
            for shape in SHAPES:
                for row in comparison.rows(shape, job_seconds, rounds):
                    rows.append(row)
                    print(row, flush=True)
        results = Results(
            machine=this_machine(),
            latency_ms=LATENCY_MS,
            rows=rows,
            admissions=comparison.admissions,
            versions=versions,
            absent=absent | comparison.failed | UNMEASURED,
            repeated=comparison.repeated,
        )
    if not given.print:
        results.write()
        write(results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
