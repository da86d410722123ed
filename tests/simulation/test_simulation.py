"""Worlds come right, and a world without one of the design's protections does not.

`make simulate` runs as many more as it is asked for, and a thousand in `make check`.
"""

import logging
from collections.abc import Iterator

import pytest

from tests.simulation.invariants import broken_invariants
from tests.simulation.sabotage import SABOTAGES, Sabotage
from tests.simulation.world import World

WORLDS = 200
ENOUGH_TO_NOTICE = 900


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("first", range(0, WORLDS, 100))
def test_every_world_comes_right(first: int) -> None:
    worlds = (World(seed).run() for seed in range(first, first + 100))
    broken = {world.seed: faults for world in worlds if (faults := broken_invariants(world))}
    assert not broken, f"replay with: make simulate SEED={min(broken)} RUNS=1"


def test_a_seed_replays_exactly() -> None:
    assert World(7).run().stage.trace == World(7).run().stage.trace


@pytest.mark.parametrize("sabotage", SABOTAGES, ids=lambda sabotage: sabotage.remove.__name__)
def test_a_protection_that_is_removed_is_noticed(sabotage: Sabotage) -> None:
    for seed in range(sabotage.seed, sabotage.seed + ENOUGH_TO_NOTICE):
        world = World(seed)
        sabotage.remove(world)
        if any(sabotage.breaks in fault for fault in broken_invariants(world.run())):
            return
    pytest.fail(f"{ENOUGH_TO_NOTICE} worlds came right without it")
