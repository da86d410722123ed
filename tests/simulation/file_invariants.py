"""What must hold of the files of every world: each is loaded once, and none is missed."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from common.pipelines.plans import LoadJob
from common.runs.files import BatchState
from tests.simulation.world import World


def broken_by_files(world: World) -> Iterator[str]:
    """Return a sentence for each file of which there are rows twice, or never."""
    yield from _files_loaded_twice(world)
    yield from _files_that_were_missed(world)
    yield from _files_noted_in_vain(world)


def _files_loaded_twice(world: World) -> Iterator[str]:
    counts = Counter((job.work.destination, uri) for job in _loads(world) for uri in job.work.uris)
    for (table, uri), count in counts.items():
        if count > 1:
            yield f"{uri} was loaded {count} times into {table}"


def _files_that_were_missed(world: World) -> Iterator[str]:
    """Find files that were there when a job took what was new, of which none has come to the table."""
    loaded = {(job.work.destination, uri) for job in _loads(world) for uri in job.work.uris}
    done = {job.job_id for job in _loads(world)}
    for ledger in world.jobs.ledgers.values():
        for table, batches in ledger.batches.items():
            taken_at = [batch.claimed_at for batch in batches.values() if batch.job_id in done]
            for file in world.jobs.buckets.files.values():
                is_theirs = file.uri.startswith(f"gs://{table.removesuffix('_loaded')}-files/")
                was_there = taken_at and file.updated_at < max(taken_at)
                if is_theirs and was_there and (table, file.uri) not in loaded:
                    yield f"{file.uri} was missed by {table}"


def _files_noted_in_vain(world: World) -> Iterator[str]:
    """Find files that a ledger has as loaded, and that the job which took them has not loaded."""
    by_id = {job.job_id: job.work.uris for job in _loads(world)}
    for ledger in world.jobs.ledgers.values():
        for batch in (one for batches in ledger.batches.values() for one in batches.values()):
            files = {file.uri for file in batch.files}
            if batch.state is BatchState.LOADED and not files <= {*by_id.get(batch.job_id, ())}:
                yield f"files of {batch.job_id} are noted as loaded, and were not"


def _loads(world: World) -> Iterator[Any]:
    return (job for job in world.jobs.effects if isinstance(job.work, LoadJob))
