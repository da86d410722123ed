"""JSON pointers (RFC 6901) into a pipeline file."""

from collections.abc import Iterable


def escaped(key: str) -> str:
    """Write a key as a pointer names it."""
    return key.replace("~", "~0").replace("/", "~1")


def pointer(path: Iterable[str | int]) -> str:
    """Write a path of keys and indexes as a pointer."""
    return "".join(f"/{escaped(str(part))}" for part in path)
