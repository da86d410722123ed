"""Statements from files, run with bound parameters in the platform's own name."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from google.cloud import bigquery

from common.errors import NoSuchResource, NotConfigured
from common.tenants.onboarding_checks import NOT_SET_UP
from common.warehouse.statements import statement
from common.warehouse.translation import translated

type Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Central:
    """The central dataset: where all state, logs and results are."""

    client: bigquery.Client
    dataset: str
    location: str

    @property
    def project(self) -> str:
        """The project that holds the platform."""
        return str(self.client.project)

    def table(self, name: str) -> str:
        """Return the full name of a central table, `project.dataset.table`."""
        return f"{self.project}.{self.dataset}.{name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Queries:
    """Runs `sql/<name>.sql`; a read may be repeated on passing faults, a write has a job ID and runs once."""

    central: Central
    timeout_seconds: float = 60.0

    def read(self, name: str, **values: Any) -> list[Row]:
        """Run a SELECT and return all its rows, as dictionaries; NotConfigured without its tables."""
        sql, config = self._prepare(name, values)
        with _set_up(), translated():
            rows = self.central.client.query_and_wait(
                sql, job_config=config, location=self.central.location, wait_timeout=self.timeout_seconds
            )
            return [dict(row.items()) for row in rows]

    def write(self, name: str, *, job_id: str, labels: Mapping[str, str], **values: Any) -> None:
        """Run an INSERT (or a transaction of them) under a job ID of ours, and wait for it.

        AlreadyExists says that the job ID is taken; who took it is on the job's labels (`common.claims`).
        """
        sql, config = self._prepare(name, values)
        config.labels = dict(labels)
        config.job_timeout_ms = int(self.timeout_seconds * 1000)
        with _set_up(), translated():
            self.central.client.query(
                sql, job_config=config, job_id=job_id, location=self.central.location, job_retry=None
            ).result(timeout=self.timeout_seconds, job_retry=None)

    def _prepare(self, name: str, values: Mapping[str, Any]) -> tuple[str, bigquery.QueryJobConfig]:
        template = statement(name)
        sql = template.render(project=self.central.project, dataset=self.central.dataset)
        return sql, bigquery.QueryJobConfig(query_parameters=template.bind(values))


@contextmanager
def _set_up() -> Iterator[None]:
    """Say what to do where a statement finds no central table: all statements here read nothing else."""
    try:
        yield
    except NoSuchResource as missing:
        raise NotConfigured(NOT_SET_UP) from missing
