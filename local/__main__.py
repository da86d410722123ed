"""`python -m local run`: the platform until Ctrl-C; `demo`: one tenant's way; `validate`: a file's tests."""

# ruff: noqa: PLC0415 - each command imports what it needs, once it is known

import argparse
import gc
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import NoReturn


def main() -> int:
    """Parse the command and do it."""
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run", help="serve the platform until Ctrl-C")
    demo = commands.add_parser("demo", help="onboard a tenant and watch its pipeline run")
    demo.add_argument("--config", type=Path, help="a pipeline file of your own")
    demo.add_argument("--keep", action="store_true", help="leave the platform up to be looked at")
    validate = commands.add_parser("validate", help="check a pipeline file and run its tests")
    validate.add_argument("--config", type=Path, required=True, help="the file")
    given = parser.parse_args()
    if given.command == "validate":
        from local.validating import validate as validated

        return validated(given.config)
    gc.disable()  # What a start imports and makes stays in use; the platform switches it on again.
    if given.command == "demo":
        from local.demo import run as act

        return act(given.config, is_kept=given.keep)
    from local.running import run

    return run()


def end(code: int) -> NoReturn:
    """End now: Python would wait for functions that are at work, and they for a Pub/Sub that is gone.

    What they have not done goes on with the next start.
    """
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):  # The terminal may be gone.
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    end(main())
