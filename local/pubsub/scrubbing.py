"""Overwrite API keys in the journal once their messages are gone: what is done needs no key any more."""

import json
import os
from typing import IO, Any

SECRET_ATTRIBUTES = ("api_key",)


class Scrubber:
    """Knows where in a file the secrets of held messages are; IDs are those of the records."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._end = os.fstat(file.fileno()).st_size
        self._places: dict[int, list[tuple[int, int]]] = {}
        self._subscriptions: dict[int, str] = {}

    def wrote(self, record: dict[str, Any], line: str) -> None:
        """Note a line that was appended."""
        if record["kind"] == "held":
            found = list(_secrets(record["message"]["attributes"], line))
            if found:
                self._places[record["id"]] = [(self._end + start, length) for start, length in found]
                self._subscriptions[record["id"]] = record["subscription"]
        self._end += len(line.encode())

    def scrub(self, held_id: int) -> None:
        """Overwrite the secrets of a message; the line stays one that can be read."""
        for place, length in self._places.pop(held_id, ()):
            os.pwrite(self._file.fileno(), b"*" * length, place)
        self._subscriptions.pop(held_id, None)

    def scrub_all_of(self, subscription: str) -> None:
        """Overwrite the secrets of all messages of a subscription."""
        for held_id in [found for found, name in self._subscriptions.items() if name == subscription]:
            self.scrub(held_id)


def _secrets(attributes: dict[str, str], line: str) -> list[tuple[int, int]]:
    """Find the values of secret attributes in a line: where each begins, and its length in bytes."""
    found = []
    for name in SECRET_ATTRIBUTES:
        if value := attributes.get(name):
            written = json.dumps(value)[1:-1]
            # The line is ASCII: JSON escapes the rest, so characters are bytes.
            start = line.index(f'"{name}":"{written}"') + len(name) + 4
            found.append((start, len(written)))
    return found
