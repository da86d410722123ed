"""Run many worlds: `make simulate SEED=0 RUNS=1000`; a seed that fails replays exactly.

Every tenth seed has a second world, in which files come in.
"""

import argparse
import gc
import logging
import os
import sys
from collections.abc import Iterator
from multiprocessing import Pool
from time import perf_counter

from tests.simulation.invariants import broken_invariants
from tests.simulation.world import World

SHOWN = 60
AT_A_TIME = 10
OBJECTS_BEFORE_COLLECTION = 300_000
SEEDS_WITH_FILES = 10
"""One in how many seeds has a world in which files come in too."""


def main() -> int:
    """Simulate, and say which seeds broke which invariants; one world alone also shows its last turns."""
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--runs", type=int, default=1000)
    options = parser.parse_args()
    if options.runs == 1:
        return _show(options.seed)
    return _simulate(options.seed, options.runs, os.process_cpu_count() or 1)


def say(*lines: str) -> None:
    """Write lines to the terminal at once."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def _simulate(first: int, count: int, processes: int) -> int:
    began = perf_counter()
    broken = 0
    seeds = range(first, first + count)
    with Pool(processes, _prepare) as pool:
        for number, (seed, faults) in enumerate(pool.imap(_faults_of, seeds, AT_A_TIME), start=1):
            if faults:
                broken += 1
                say(f"seed {seed}: " + "; ".join(faults))
            if number % 500 == 0:
                say(f"{number} worlds, {60 * number / (perf_counter() - began):,.0f} a minute")
    say(
        f"{count} worlds from seed {first} in {processes} processes: {broken} broken,"
        f" {perf_counter() - began:.1f} s"
    )
    return 1 if broken else 0


def _show(seed: int) -> int:
    _prepare()
    found = []
    for world in _worlds(seed):
        faults = broken_invariants(world)
        say(*world.stage.trace[-SHOWN:], f"seed {seed}: " + ("; ".join(faults) or "no invariant is broken"))
        found += faults
    return 1 if found else 0


def _prepare() -> None:
    logging.disable(logging.CRITICAL)
    gc.freeze()
    gc.set_threshold(OBJECTS_BEFORE_COLLECTION)  # else the collector takes a fifth of the time


def _faults_of(seed: int) -> tuple[int, list[str]]:
    return seed, [fault for world in _worlds(seed) for fault in broken_invariants(world)]


def _worlds(seed: int) -> Iterator[World]:
    """Run the worlds of a seed."""
    yield World(seed).run()
    if seed % SEEDS_WITH_FILES == 0:
        yield World(seed, has_files=True).run()


if __name__ == "__main__":
    sys.exit(main())
