"""Keep topics, subscriptions and unacknowledged messages over a restart: an append-only file of JSON lines.

Each line is one change, written before the change is answered. It is handed to the operating system at once:
it survives the process (kill -9), not a power cut. Opening the file replays it, and leaves what is alive.

    {"kind": "topic" | "subscription", "id": NAME, "resource": {…}}
    {"kind": "held", "id": SEQUENCE, "subscription": NAME, "attempts": 0, "message": {…}}
    {"kind": "attempt", "id": SEQUENCE, "attempts": 2}
    {"kind": "gone", "of": "subscription" | "held", "id": …}
"""

import fcntl
import json
import os
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from local.pubsub.backlogs import Held
from local.pubsub.messages import Content, Message
from local.pubsub.scrubbing import Scrubber

type Record = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """What was alive when the journal was last written; each message with its subscription."""

    topics: list[Record]
    subscriptions: list[Record]
    held: list[tuple[str, Held]]


class Journal:
    """Write changes down; without a path, forget them."""

    def __init__(self, path: Path | None) -> None:
        self._file: IO[str] | None = None
        self._scrubber: Scrubber | None = None
        self._survivors: list[Record] = []
        self._open_files = ExitStack()
        if path:
            self._open(path)

    def recover(self, now: float) -> Recovered:
        """Return what the file held when it was opened; the messages are due now."""
        return Recovered(
            topics=[record["resource"] for record in self._of_kind("topic")],
            subscriptions=[record["resource"] for record in self._of_kind("subscription")],
            held=[(record["subscription"], _held(record, now)) for record in self._of_kind("held")],
        )

    def saved(self, kind: str, name: str, resource: Record) -> None:
        """Note that a topic or subscription was created or changed."""
        self._write({"kind": kind, "id": name, "resource": resource})

    def deleted(self, subscription: str) -> None:
        """Note that a subscription is gone."""
        if self._scrubber:
            self._scrubber.scrub_all_of(subscription)
        self._write({"kind": "gone", "of": "subscription", "id": subscription})

    def held(self, subscription: str, held: Held) -> None:
        """Note that a subscription holds a message."""
        self._write(_record(subscription, held))

    def attempted(self, held: Held) -> None:
        """Note that a message went out once more."""
        self._write({"kind": "attempt", "id": held.sequence, "attempts": held.attempts})

    def result(self, held: Held) -> None:
        """Note that a message is acknowledged or dead-lettered."""
        self._write({"kind": "gone", "of": "held", "id": held.sequence})
        if self._scrubber:
            self._scrubber.scrub(held.sequence)

    def close(self) -> None:
        """Close the file, and let another server have it."""
        self._open_files.close()

    def _open(self, path: Path) -> None:
        with ExitStack() as files:
            files.enter_context(_lock(path))
            self._survivors = _survivors(_read(path))
            self._file = files.enter_context(_rewrite(path))
            self._scrubber = Scrubber(self._file)
            for record in self._survivors:
                self._append(record)
            self._file.flush()
            os.fsync(self._file.fileno())
            path.with_name(f"{path.name}.new").replace(path)
            self._open_files = files.pop_all()

    def _of_kind(self, kind: str) -> Iterator[Record]:
        return (record for record in self._survivors if record["kind"] == kind)

    def _write(self, record: Record) -> None:
        if self._file:
            self._append(record)
            self._file.flush()

    def _append(self, record: Record) -> None:
        if self._file and self._scrubber:
            line = _line(record)
            self._file.write(line)
            self._scrubber.wrote(record, line)


def _lock(path: Path) -> IO[str]:
    """Hold the journal for this server alone; the system lets go of it when the process ends in any way."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.with_name(f"{path.name}.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise OSError(f"another server uses the Pub/Sub journal {path}") from error
    return lock


def _read(path: Path) -> Iterator[Record]:
    """Yield the records of a file; a last line without its end was being written when the process died."""
    lines = path.read_bytes().split(b"\n") if path.exists() else [b""]
    for number, line in enumerate(lines[:-1], start=1):
        try:
            yield json.loads(line)
        except ValueError as error:
            raise ValueError(f"line {number} of the Pub/Sub journal {path} is damaged") from error


def _survivors(records: Iterable[Record]) -> list[Record]:
    """Replay changes in order, and return the creations that still count."""
    alive: dict[tuple[str, Any], Record] = {}
    for record in records:
        match record["kind"]:
            case "gone":
                _forget(alive, record["of"], record["id"])
            case "attempt":
                alive[("held", record["id"])]["attempts"] = record["attempts"]
            case kind:
                alive[(kind, record["id"])] = record
    return list(alive.values())


def _forget(alive: dict[tuple[str, Any], Record], kind: str, name: Any) -> None:
    """Drop a creation; a subscription takes its messages along."""
    alive.pop((kind, name), None)
    if kind == "subscription":
        for key in [key for key, record in alive.items() if record.get("subscription") == name]:
            del alive[key]


def _rewrite(path: Path) -> IO[str]:
    """Open the file that is to replace the journal, empty; only its owner may read it."""
    draft = path.with_name(f"{path.name}.new")
    return open(draft, "w", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600))


def _line(record: Record) -> str:
    return json.dumps(record, separators=(",", ":")) + "\n"


def _record(subscription: str, held: Held) -> Record:
    message, content = held.message, held.message.content
    return {
        "kind": "held",
        "id": held.sequence,
        "subscription": subscription,
        "attempts": held.attempts,
        "message": {
            "id": message.id,
            "published_at": message.published_at,
            "data": b64encode(content.data).decode(),
            "attributes": dict(content.attributes),
        },
    }


def _held(record: Record, now: float) -> Held:
    fields = record["message"]
    content = Content(data=b64decode(fields["data"]), attributes=fields["attributes"])
    message = Message(id=fields["id"], published_at=fields["published_at"], content=content)
    place = f"recovered/{record['id']}"
    return Held(sequence=record["id"], place=place, message=message, due_at=now, attempts=record["attempts"])
