"""Files that a command is given, and the standard input, which is called `-`."""

import sys
from pathlib import Path

STANDARD_INPUT = Path("-")


def read_bytes(path: Path) -> bytes:
    """Read a file, or the standard input to its end; OSError where that cannot be done."""
    if path != STANDARD_INPUT:
        return path.read_bytes()
    if sys.stdin is None:
        raise OSError("there is no standard input")
    # What stands in for it in a program that calls this one may have texts alone.
    binary = getattr(sys.stdin, "buffer", None)
    return binary.read() if binary else sys.stdin.read().encode()
