"""What a seed does to its world."""

from dataclasses import dataclass
from datetime import timedelta
from random import Random

from tests.simulation.stage import Odds


@dataclass(slots=True, kw_only=True)
class Troubles:
    """How bad it is, and of what kind."""

    odds: Odds
    duplicate: float
    """How likely a message is delivered twice."""
    late: timedelta
    """How long a message takes at the most."""
    lag: timedelta
    """How long a row takes at the most until it can be read."""
    failing: float
    """How likely the first attempt of a step fails."""
    limited: float
    """How likely the first jobs of a step fail by a limit of BigQuery's."""
    oversleeping: int
    """How many times longer than it wants to a worker sleeps."""

    stalling: float
    """How likely a filler is held up between the tickets that it takes and their rows."""
    streaming_delay: timedelta
    """How long streaming does not know the tables that an operator remakes; zero where nobody does."""

    @classmethod
    def drawn(cls, random: Random) -> "Troubles":
        """Draw a mild or a wild world."""
        wild = random.random()
        return cls(
            odds=Odds(kill=0.03 * wild, unavailable=0.03 * wild),
            duplicate=0.5 * wild,
            late=timedelta(seconds=random.choice([0, 5, 90])),
            lag=timedelta(seconds=random.choice([0, 2, 20])),
            failing=random.choice([0.0, 0.1, 0.4]),
            limited=random.choice([0.0, 0.0, 0.3]),
            oversleeping=random.choice([1, 10, 10]),
            streaming_delay=timedelta(seconds=random.choice([0, 0, 0, 60, 300])),
            stalling=random.choice([0.0, 0.0, 0.5]),
        )
