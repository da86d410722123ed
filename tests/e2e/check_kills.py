"""The short form of `make kill-test`: a platform that ends at any moment doubles no row, and loses none."""

from pathlib import Path
from random import Random, SystemRandom

from tests.kills.rounds import Rounds

APPENDS = 4


def test_a_platform_that_is_killed_at_a_random_moment_doubles_and_loses_no_row(tmp_path: Path) -> None:
    seed = SystemRandom().randrange(1_000_000)
    rounds = Rounds(folder=tmp_path, random=Random(seed), tenants=1, appends=APPENDS)
    told = rounds.play()
    wrong = rounds.conclude()
    assert not wrong, f"seed {seed}: {told}"
