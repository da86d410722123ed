"""Worlds in which files come in while runs load and copy: each file is loaded once, and none is missed.

`make simulate` runs one of them for every tenth seed.
"""

import logging
from collections.abc import Callable, Iterator

import pytest

from common.pipelines.plans import LoadJob
from tests.simulation.file_invariants import broken_by_files
from tests.simulation.invariants import broken_invariants
from tests.simulation.sabotaged_files import (
    files_are_listed_by_every_delivery,
    files_are_noted_before_they_are_loaded,
    what_others_have_taken_is_taken_again,
)
from tests.simulation.world import World

WORLDS = 8
FIRST_TO_NOTICE, ENOUGH_TO_NOTICE = 10, 300
SABOTAGES: dict[Callable[[World], None], str] = {
    files_are_listed_by_every_delivery: "and were not",
    files_are_noted_before_they_are_loaded: "was missed",
    what_others_have_taken_is_taken_again: "was loaded",
}
"""Protections of files that are removed, and words of what then breaks."""


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def test_every_world_with_files_comes_right() -> None:
    loads, broken = 0, {}
    for seed in range(WORLDS):
        world = World(seed, has_files=True).run()
        loads += sum(isinstance(job.work, LoadJob) and bool(job.work.uris) for job in world.jobs.effects)
        if faults := broken_invariants(world):
            broken[seed] = faults
    assert not broken
    assert loads > WORLDS / 4


@pytest.mark.parametrize("remove", SABOTAGES, ids=lambda remove: remove.__name__)
def test_a_protection_of_files_that_is_removed_is_noticed(remove: Callable[[World], None]) -> None:
    for seed in range(FIRST_TO_NOTICE, FIRST_TO_NOTICE + ENOUGH_TO_NOTICE):
        world = World(seed, has_files=True)
        remove(world)
        if any(SABOTAGES[remove] in fault for fault in broken_by_files(world.run())):
            return
    pytest.fail(f"{ENOUGH_TO_NOTICE} worlds came right without it")
