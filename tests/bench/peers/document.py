"""docs/benchmarks.md and its plots, made of docs/benchmarks.json alone."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tests.bench.peers.contestants import BARE_LEVELS, BARE_SUBMIT_ALL, PEERS
from tests.bench.peers.plots import bars
from tests.bench.peers.results import FILE, Results, Row
from tests.bench.peers.rounds import CONVERGENCE
from tests.bench.peers.work import Shape

DOCUMENT = FILE.with_suffix(".md")
PICTURES = FILE.parent / "pictures"
WALL, MEMORY, START = (PICTURES / f"benchmarks-{name}.svg" for name in ("wall", "memory", "start"))
COMPARED = (CONVERGENCE, BARE_SUBMIT_ALL.name)
PEERS_JOB_SECONDS = 1.0
"""How long jobs take where the peers run."""


def documents(results: Results) -> dict[Path, str]:
    """Write all files, by where they are."""
    peers = [row for row in results.rows if row.job_seconds == PEERS_JOB_SECONDS]
    names = list(dict.fromkeys(row.contestant for row in results.rows))
    of_one_shape = [row for row in peers if row.shape == "4x5"]
    by_job = {
        f"{row.shape}, {row.job_seconds:g} s": {
            other.contestant: other.wall
            for other in results.rows
            if (other.shape, other.job_seconds) == (row.shape, row.job_seconds)
        }
        for row in results.rows
    }
    return {
        DOCUMENT: "\n".join(_lines(results, peers)),
        WALL: bars("Wall, as a multiple of the script's", by_job, names),
        MEMORY: bars(
            "Peak memory of one process, as a multiple of the script's",
            {"4x5": {row.contestant: row.memory for row in of_one_shape}},
            names,
        ),
        START: bars(
            "From the start to the first request, as a multiple of the script's",
            {"4x5": {row.contestant: row.start for row in of_one_shape}},
            names,
        ),
    }


def write(results: Results) -> None:
    """Make the document and its plots anew."""
    for file, text in documents(results).items():
        file.write_text(text, encoding="utf-8")


def _lines(results: Results, peers: Sequence[Row]) -> Iterator[str]:
    yield from _introduction(results)
    yield from _against_the_script(results)
    yield from _against_the_peers(results, peers)
    yield from _who(results)


def _introduction(results: Results) -> Iterator[str]:
    yield f"""# Beside a bare script, and beside the peers

This page is made by `make bench-peers`, its plots too; nothing in it is written by hand. It compares the
same work, done on one local BigQuery: levels of steps, each of which makes a table of its own out of the one
above it. Behind the local BigQuery's proxy each request takes {results.latency_ms} ms longer, and each job as
long as the tables say (`LATENCY_MS`, `JOB_SECONDS`). All contestants run in turns, round by round; a figure
is the median of its rounds, each held against the script of the same round. Times, cores and memory are
multiples of the script's.

It was made on {results.machine}. {_repeated(results)}

4x5 is 4 levels of 5 steps. The script is {BARE_LEVELS.what},
in an environment that has the client alone. Its wall, like the others', goes from the first request that
reaches BigQuery to the last answer. Convergence's goes from its 202 to the event that tells the end of the
run: it is a service, and was running before.
"""


def _options(results: Results) -> str:
    shapes = ",".join(dict.fromkeys(row.shape for row in results.rows))
    return f"ROUNDS={max(row.rounds for row in results.rows)} SHAPES={shapes}"


def _repeated(results: Results) -> str:
    if not results.repeated:
        return "No run had to be made twice."
    return f"{results.repeated} runs failed in the local BigQuery, whoever asked, and were made once more."


def _against_the_script(results: Results) -> Iterator[str]:
    yield "## Convergence and the script\n"
    yield f"Command: `make bench-peers {_options(results)} PEERS=`\n"
    yield "![Wall, as a multiple of the script's](pictures/benchmarks-wall.svg)\n"
    head = (
        "shape",
        "job",
        "rounds",
        "wall",
        "without threads",
        "requests",
        "promised",
        "the script's",
        "jobs",
    )
    yield from _table(
        head, (_compared(results, row) for row in results.rows if row.contestant == CONVERGENCE)
    )
    yield """
Requests and jobs are those of the whole run, the admission's included. Promised are at most 3N + 2L + 8 in
[exactly-once.md](exactly-once.md), which does not count `tables.get`, asked once in ten seconds for all runs
of an instance, and counts more for jobs of more than five seconds: those of four can take as long where the
machine is busy. Until its 202 a run waits for four, one job among them
([exactly-once.md](exactly-once.md#what-a-request-costs)); by the time that a client has it, the first level
may have begun. Seen by then, at most:
"""
    until = ("shape", "job", "requests by the 202", "jobs among them")
    admissions = {(one.shape, one.job_seconds): one for one in results.admissions}
    for one in results.admissions:
        if one.requests > admissions[one.shape, one.job_seconds].requests:
            admissions[one.shape, one.job_seconds] = one
    yield from _table(
        until,
        ([one.shape, f"{one.job_seconds:g} s", one.requests, one.jobs] for one in admissions.values()),
    )
    yield ""


def _compared(results: Results, row: Row) -> list[object]:
    others = {
        other.contestant: other
        for other in results.rows
        if (other.shape, other.job_seconds) == (row.shape, row.job_seconds)
    }
    shape = Shape.read(row.shape)
    return [
        row.shape,
        f"{row.job_seconds:g} s",
        row.rounds,
        row.wall,
        others[BARE_SUBMIT_ALL.name].wall,
        row.requests,
        3 * shape.tables + 2 * shape.levels + 8,
        others[BARE_LEVELS.name].requests,
        row.jobs,
    ]


def _against_the_peers(results: Results, peers: Sequence[Row]) -> Iterator[str]:
    yield f"## Beside the peers, jobs of {PEERS_JOB_SECONDS:g} s\n"
    yield f"Command: `make bench-peers {_options(results)}`\n"
    yield "![Peak memory, as a multiple of the script's](pictures/benchmarks-memory.svg)\n"
    yield "![Start, as a multiple of the script's](pictures/benchmarks-start.svg)\n"
    head = ("shape", "who", "wall", "requests", "jobs", "CPU", "peak memory", "start")
    yield from _table(
        head,
        (
            [row.shape, row.contestant, row.wall, row.requests, row.jobs, row.cpu, row.memory, row.start]
            for row in peers
        ),
    )
    yield f"""
CPU is that of a program and all its processes; of Convergence that of `pipelines` and `run_level`, from the
request to the run's end. Peak memory is the greatest of one process. Start goes from the program's start to
its first request; Convergence's is that of a new instance of `run_level`, up to its client. Convergence's
jobs are one for each step, the ticket, and what the admission reads, for which BigQuery makes none where it
can answer at once.

Versions: {", ".join(f"{name} {version}" for name, version in results.versions.items())}.
"""


def _who(results: Results) -> Iterator[str]:
    yield "## Who does it how\n"
    for one in (BARE_LEVELS, BARE_SUBMIT_ALL, *PEERS):
        limit = f"; asked for shapes of at most {one.max_tables} steps" if one.max_tables < 100 else ""
        yield f"- {one.name}: {one.what}{limit}."
    yield f"- {CONVERGENCE}: an instance of each of its functions as it is deployed, and the local Pub/Sub."
    for name, why in results.absent.items():
        yield f"- {name}: not measured, it {why}."
    yield ""


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(map(str, row))} |"
