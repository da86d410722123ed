"""The short form of `make simulate`: worlds come right, and one that lacks a protection does not."""

import logging
from collections.abc import Iterator

import pytest

from tests.simulation.invariants import broken_invariants
from tests.simulation.sabotage import SABOTAGES, Sabotage
from tests.simulation.world import World

WORLDS = 12
ENOUGH_TO_NOTICE = 900


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def test_every_world_comes_right() -> None:
    worlds = (World(seed).run() for seed in range(WORLDS))
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
