"""JSON pointers (RFC 6901): the places in what somebody has sent."""

from collections.abc import Iterable

MAX_KEY_CHARACTERS = 128


def escaped(key: str) -> str:
    """Write a key as a pointer names it."""
    return key.replace("~", "~0").replace("/", "~1")


def unescaped(part: str) -> str:
    """Read a key as a pointer names it."""
    return part.replace("~1", "/").replace("~0", "~")


def pointer(path: Iterable[str | int]) -> str:
    """Write a path of keys and indexes as a pointer; very long keys are cut."""
    return "".join(f"/{escaped(_cut(str(part)))}" for part in path)


def _cut(key: str) -> str:
    return key if len(key) <= MAX_KEY_CHARACTERS else key[:MAX_KEY_CHARACTERS] + "…"
