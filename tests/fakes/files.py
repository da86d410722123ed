"""Cloud Storage and ledgers of files in memory."""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from common.errors import QueryRefused
from common.runs.files import BatchState, FileBatch, LedgerReading, StoredFile
from common.times import Clock


@dataclass(slots=True, kw_only=True)
class MemoryBuckets:
    """`Buckets`: files by their URIs. A file that is written again has another generation."""

    clock: Clock
    files: dict[str, StoredFile] = field(default_factory=dict)
    denied: set[str] = field(default_factory=set)
    """Buckets that nobody may list."""
    listed: list[str] = field(default_factory=list)

    def put(self, uri: str, size: int = 1) -> StoredFile:
        """Write a file."""
        generation = max((file.generation for file in self.files.values()), default=0) + 1
        file = StoredFile(uri=uri, generation=generation, size=size, updated_at=self.clock())
        self.files[uri] = file
        return file

    def files_of(self, bucket: str, prefix: str) -> Iterator[StoredFile]:
        self.listed.append(f"gs://{bucket}/{prefix}")
        if bucket in self.denied:
            told = "Permission 'storage.objects.list' denied on resource (or it may not exist)."
            raise QueryRefused(told, "forbidden")
        yield from sorted(f for f in self.files.values() if f.uri.startswith(f"gs://{bucket}/{prefix}"))


def nowhere(_point: str) -> None:
    """Do nothing: the hook of a test that wants no trouble."""


@dataclass(slots=True, kw_only=True)
class MemoryLedger:
    """`FileLedger` of all tables of one tenant; `at` is called wherever a process can die or be slow."""

    clock: Clock
    at: Callable[[str], None] = nowhere
    batches: dict[str, dict[int, FileBatch]] = field(default_factory=lambda: defaultdict(dict))
    failing: int = 0
    """How many INSERTs are to fail: each uses a number up."""
    used_up: set[tuple[str, int]] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, table: str, job_id: str, prefixes: Sequence[str]) -> LedgerReading:
        self.at(f"before ledger {job_id}")
        with self._lock:
            found = list(self.batches[table].values())
        loaded = (file for batch in found if batch.state is BatchState.LOADED for file in batch.files)
        return LedgerReading(
            now=self.clock(),
            last_number=max(self.batches[table], default=0),
            own=next((batch for batch in found if batch.job_id == job_id), None),
            open=tuple(b for b in found if b.state is BatchState.CLAIMED and b.job_id != job_id),
            loaded=frozenset((f.uri, f.generation) for f in loaded if f.uri.startswith(tuple(prefixes))),
        )

    def append(self, batch: FileBatch, ended: Sequence[FileBatch]) -> bool:
        self.at(f"before claim of files {batch.job_id}")
        with self._lock:
            taken, number = self.batches[batch.table], batch.number
            while (batch.table, number) in self.used_up:
                number += 1
            if number in taken:
                return False
            if self.failing:
                self.failing -= 1
                self.used_up.add((batch.table, number))
                raise QueryRefused("the INSERT failed", "invalidQuery")
            for one in ended:
                taken[one.number] = one
            taken[number] = replace(batch, number=number)
        self.at(f"after claim of files {batch.job_id}")
        return True

    def close(self, table: str, labels: Mapping[str, str]) -> None:
        """Have the effect of a `FilesLoadedJob`."""
        with self._lock:
            found = self.batches[table]
            own = [
                number
                for number, batch in found.items()
                if (batch.labels["run"], batch.labels["step"]) == (labels["run"], labels["step"])
                and batch.state is BatchState.CLAIMED
            ]
            if own:
                found[max(own)] = replace(found[max(own)], state=BatchState.LOADED)


def in_ledger(ledger: MemoryLedger, table: str, state: BatchState) -> list[str]:
    """List the files of a table in a state, by their names."""
    found = ledger.batches[table].values()
    return sorted(file.uri for batch in found if batch.state is state for file in batch.files)
