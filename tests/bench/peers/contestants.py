"""Who runs the work: programs of other environments, each with what it is made of and how it is started."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from tests.bench.peers.work import Work

ROOT = Path(__file__).parents[3]
ENVIRONMENTS = ROOT / "build" / "peers"
PROGRAMS = Path(__file__).with_name("programs")
THREADS = 32
SCRIPT_REQUIREMENTS = (f"google-cloud-bigquery=={version('google-cloud-bigquery')}",)
"""The platform's own client, and nothing else: what is installed beside it can make it larger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """How a program is started."""

    command: Sequence[str]
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """A program that carries out work, from a folder of its own."""

    name: str
    what: str
    """How it does it, in a sentence."""
    prepare: Callable[[Work, Path, Path], Start]
    """Writes what it needs into a folder, for an environment's `bin`."""
    requirements: tuple[str, ...] = ()
    """What is installed for it, the package that it is first."""
    environment: str = ""
    """Whose environment it shares; "" for one of its own."""
    max_tables: int = 100
    """The largest shape that it is asked for."""

    @property
    def bin(self) -> Path:
        """Where its programs are."""
        return ENVIRONMENTS / (self.environment or self.name) / "bin"


def program(name: str, **environment: str) -> Callable[[Work, Path, Path], Start]:
    """Start a file of `programs` with the work's file."""

    def prepare(work: Work, folder: Path, binaries: Path) -> Start:
        command = [str(binaries / "python"), str(PROGRAMS / name), str(work.write(folder / "work.json"))]
        return Start(command=command, environment=_environment(folder, work) | environment)

    return prepare


def _environment(folder: Path, work: Work) -> dict[str, str]:
    return {"PATH": os.defpath, "HOME": str(folder), "TMPDIR": str(folder), "DO_NOT_TRACK": "1"}


def dbt_project(work: Work, folder: Path, binaries: Path) -> Start:
    """Write a dbt project: a model for each step, which refers to the one above it."""
    output = {
        "type": "bigquery",
        "method": "oauth-secrets",
        "token": "bench",
        "project": work.project,
        "dataset": work.dataset,
        "location": "US",
        "threads": THREADS,
        "api_endpoint": work.url,
    }
    profiles = {"bench": {"target": "bench", "outputs": {"bench": output}}}
    project = {
        "name": "bench",
        "version": "1.0",
        "profile": "bench",
        "models": {"bench": {"+materialized": "table"}},
        "flags": {"send_anonymous_usage_stats": False},
    }
    models = folder / "models"
    models.mkdir()
    (folder / "profiles.yml").write_text(json.dumps(profiles), encoding="utf-8")
    (folder / "dbt_project.yml").write_text(json.dumps(project), encoding="utf-8")
    for table in (table for level in work.shape.rows() for table in level):
        sql = table.sql(f"{{{{ ref('{table.source}') }}}}")
        (models / f"{table.name}.sql").write_text(sql, encoding="utf-8")
    command = [str(binaries / "dbt"), "run", "--project-dir", str(folder), "--profiles-dir", str(folder)]
    return Start(command=command, environment=_environment(folder, work))


BARE_LEVELS = Contestant(
    name="script, threads",
    what="BigQuery's client in Python: level by level, each step in a thread that submits its job and waits",
    prepare=program("bare_levels.py"),
    requirements=SCRIPT_REQUIREMENTS,
    environment="script",
)
BARE_SUBMIT_ALL = Contestant(
    name="script, one thread",
    what="the same client without threads: it submits all jobs of a level, then waits for each of them",
    prepare=program("bare_submit_all.py"),
    requirements=SCRIPT_REQUIREMENTS,
    environment="script",
)
PEERS: tuple[Contestant, ...] = (
    Contestant(
        name="dbt-bigquery",
        what=f"`dbt run` with {THREADS} threads: a model for each step, materialized as a table",
        prepare=dbt_project,
        requirements=("dbt-bigquery", "dbt-core<1.12"),
    ),
    Contestant(
        name="luigi",
        what="a task for each step, a worker process for each step of a level, and the local scheduler",
        prepare=program("luigi_tasks.py"),
        requirements=("luigi", "google-cloud-bigquery"),
    ),
    Contestant(
        name="dagster",
        what="an asset for each step, carried out by the multiprocess executor, a process for each step",
        prepare=program("dagster_ops.py"),
        requirements=("dagster", "google-cloud-bigquery"),
        max_tables=10,
    ),
    Contestant(
        name="prefect",
        what="a task for each step, in the thread pool of a flow, with the temporary server that it starts",
        prepare=program(
            "prefect_flow.py",
            PREFECT_SERVER_ANALYTICS_ENABLED="false",
            PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS="300",
        ),
        requirements=("prefect", "google-cloud-bigquery"),
        max_tables=20,
    ),
)
UNMEASURED = {
    "sqlmesh": "installs, and has no setting for another BigQuery than Google's",
    "apache-airflow": "installs, and carries out one task at a time where no scheduler of its own is running",
}
"""Peers that are left out, and why."""
