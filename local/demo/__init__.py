"""The production guide's Quick Start, acted out on a platform of its own: `python -m local demo`."""

from local.demo.demo import run

__all__ = ["run"]
