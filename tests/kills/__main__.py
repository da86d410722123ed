"""Kill the platform again and again: `make kill-test ROUNDS=6 SEED=0`; a seed draws the same moments."""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path
from random import Random, SystemRandom

from tests.kills.rounds import Rounds


def main() -> int:
    """Play the rounds, and return 1 where a row is doubled or missing, or a run has not completed."""
    parser = argparse.ArgumentParser(prog="make kill-test", description=__doc__)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(1_000_000))
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="convergence-kills-"))
    rounds = Rounds(folder=folder, random=Random(given.seed))
    for number in range(1, given.rounds + 1):
        print(f"round {number}: {rounds.play()}", flush=True)
    wrong = rounds.conclude()
    runs = sum(len(work.runs) for work in rounds.works)
    print(
        "\n".join([*wrong, f"{given.rounds} rounds of seed {given.seed}, {runs} runs: {len(wrong)} faults"])
    )
    if wrong:
        print(f"the platform's data and log are in {folder}")
    else:
        shutil.rmtree(folder)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
