"""Run many worlds: `make simulate SEED=0 RUNS=1000`; a seed that fails replays exactly."""

import argparse
import logging
import sys
from collections.abc import Iterable
from time import perf_counter

from tests.simulation.invariants import broken_invariants
from tests.simulation.world import World

SHOWN = 60


def main() -> int:
    """Simulate, and say which seeds broke which invariants; one world alone also shows its last turns."""
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--runs", type=int, default=1000)
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    began = perf_counter()
    broken = sum(_report(world, options.runs) for world in _worlds(options.seed, options.runs))
    say(f"{options.runs} worlds from seed {options.seed}: {broken} broken, {perf_counter() - began:.1f} s")
    return 1 if broken else 0


def say(*lines: str) -> None:
    """Write lines to the terminal at once."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def _worlds(first: int, count: int) -> Iterable[World]:
    for number in range(count):
        yield World(first + number).run()
        if (number + 1) % 500 == 0:
            say(f"{number + 1} worlds")


def _report(world: World, count: int) -> bool:
    faults = broken_invariants(world)
    if faults:
        say(f"seed {world.seed}: " + "; ".join(faults))
    if faults and count == 1:
        say(*world.stage.trace[-SHOWN:])
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
