"""Switches for what the local BigQuery does not do unless asked."""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class Switch:
    """On or off; `is_on` may be set while the server runs."""

    is_on: bool = False


@dataclass(slots=True)
class Limits(Switch):
    """The switch of BigQuery's limits; their windows go by `clock` (seconds), which may be set too."""

    clock: Callable[[], float] = time.monotonic

    def reset(self) -> None:
        """Switch the limits off, and go by the machine's clock."""
        self.is_on, self.clock = False, time.monotonic
