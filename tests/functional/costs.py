"""What a run costs, counted at BigQuery's and Pub/Sub's doors."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.functional.environment import PROJECT
from tests.functional.promises import Promise, promises
from tests.functional.site import Site, Tenant, a_pipeline_file

type Levels = Sequence[Mapping[str, str]]
"""Per level the SQL of each step by its ID."""
LEVELS_TOPIC = f"projects/{PROJECT}/topics/pipeline-levels"
EVENTS_TOPIC = f"projects/{PROJECT}/topics/run-events"
COST_OF_A_RUN = "What a run costs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A promise, and what was counted."""

    promise: Promise
    count: int
    is_kept: bool


def cost_of_a_run(site: Site, tenant: Tenant, levels: Levels) -> list[Counted]:
    """Run a pipeline of this shape, whose steps make their tables anew, and count."""
    run_id = _ran(site, tenant, levels)
    counts = _counts_of_a_run(site)
    assert tenant.status(run_id)["status"] == "COMPLETED"
    return list(held_against(COST_OF_A_RUN, counts, {"L": len(levels), "N": sum(map(len, levels))}))


def requests_of_a_run(site: Site, tenant: Tenant, levels: Levels) -> Counter[str]:
    """Run such a pipeline, and count requests by their kind."""
    run_id = _ran(site, tenant, levels)
    counted = site.bigquery.counts.methods.copy()
    assert tenant.status(run_id)["status"] == "COMPLETED"
    return counted


def own_requests(methods: Counter[str]) -> int:
    """Count the requests of a run's own: whether streaming knows a table, an instance asks for all runs."""
    return methods.total() - methods["tables.get"]


def _ran(site: Site, tenant: Tenant, levels: Levels) -> str:
    """Run a pipeline, and count from its request on; the upload before has warmed the key's memory."""
    text = a_pipeline_file(*map(dict, levels), target="WRITE_TRUNCATE")
    answer = tenant.upload("shape", text)
    assert answer.status_code == 201, answer.text
    site.drain()
    reset_counts(site)
    run_id = tenant.run("shape")
    site.drain()
    return run_id


def reset_counts(site: Site) -> None:
    """Count from zero at both doors."""
    site.bigquery.counts.reset()
    site.pubsub.publishes.reset()


def held_against(heading: str, counts: Mapping[str, int], sizes: Mapping[str, int]) -> Iterator[Counted]:
    """Hold counts, by the first words of what was promised, against the table of one section."""
    promised = promises(heading)
    for words, count in counts.items():
        (promise,) = (one for one in promised if one.what.startswith(words))
        yield Counted(promise=promise, count=count, is_kept=promise.is_kept_by(count, sizes))
    if unchecked := [one.what for one in promised if not one.what.startswith(tuple(counts))]:
        raise ValueError(f"nobody counts what is promised under {heading!r}: {unchecked}")


def _counts_of_a_run(site: Site) -> dict[str, int]:
    counts, messages = site.bigquery.counts, site.pubsub.publishes.messages
    claims, step_jobs, ours = counts.jobs("cvg-ticket-"), counts.jobs("cvg-step-"), counts.jobs("cvg-")
    return {
        "queries that read state": counts.jobs() - ours,
        "claims": claims,
        "step jobs": step_jobs,
        "dry runs": counts.dry_runs,
        "requests to BigQuery": own_requests(counts.methods),
        "`tabledata.insertAll` calls": counts.insert_all,
        "level messages": messages[LEVELS_TOPIC],
        "run events": messages[EVENTS_TOPIC],
        # DML is a job too: whatever is neither a claim nor a step.
        "mutating DML": ours - claims - step_jobs,
    }
