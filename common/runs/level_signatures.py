"""Signatures of level messages: what carries out levels believes those of the platform's own functions alone.

Who may publish to the topic is Google's to say, and a grant is soon made too wide. So the functions that
start and continue runs sign what they send (HMAC-SHA256); `run_level` looks, and with dead letters the
dispatcher.
"""

import hashlib
import hmac
from dataclasses import dataclass, field

from common.errors import Forbidden

SIGNATURE = "signature"
"""The attribute that carries it."""
MIN_KEY_CHARACTERS = 32
_PURPOSE = b"convergence-level\0"


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelKeys:
    """Keys that sign and check: the first one signs, all are believed. Without a key nothing is asked for."""

    keys: tuple[str, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        if any(len(key) < MIN_KEY_CHARACTERS for key in self.keys):
            raise ValueError(f"LEVELS_KEYS are of {MIN_KEY_CHARACTERS} characters at least")

    def sign(self, data: bytes) -> str:
        """Sign a message; "" where there is no key."""
        return _signature(self.keys[0], data) if self.keys else ""

    def check(self, data: bytes, signature: str) -> None:
        """Raise Forbidden where none of the keys has signed this."""
        given = signature.encode(errors="replace")
        # All are compared: how long it takes tells nothing of which is right.
        found = [hmac.compare_digest(_signature(key, data).encode(), given) for key in self.keys]
        if found and not any(found):
            raise Forbidden("the level message is signed by none of the platform's functions")


def _signature(key: str, data: bytes) -> str:
    return hmac.new(key.encode(), _PURPOSE + data, hashlib.sha256).hexdigest()
