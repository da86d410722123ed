"""SQL from files, run with bound parameters in the platform's own name.

Each file opens with its purpose and its parameters, which declares the parameters' types. Statements that
define things (DDL) name more than the central dataset, and are safe to repeat.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from google.cloud import bigquery

from common.errors import NoSuchResource, NotConfigured
from common.tenants.onboarding_checks import NOT_SET_UP
from common.warehouse.clients import RETRY
from common.warehouse.translation import translated

SQL_FOLDER = Path(__file__).parent / "sql"
_PARAMETERS = re.compile(r"^-- Parameters: (?P<list>.+)$", re.MULTILINE)
_PLACE = re.compile(r"\$\{(?P<name>\w+)\}")
_IDENTIFIER = re.compile(r"[A-Za-z0-9_-]+")
_ARRAY = re.compile(r"^ARRAY<(?P<element>[A-Z0-9]+)>$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement (or one script) with the types of its parameters."""

    name: str
    text: str
    parameter_types: Mapping[str, str]

    def render(self, **identifiers: str) -> str:
        """Put identifiers in their `${places}`; each is checked, values never come this way."""
        for place, identifier in identifiers.items():
            if not _IDENTIFIER.fullmatch(identifier):
                raise ValueError(f"{place} is no identifier: {identifier!r}")
        return _PLACE.sub(lambda found: identifiers[found["name"]], self.text)

    def bind(
        self, values: Mapping[str, Any]
    ) -> list[bigquery.ScalarQueryParameter | bigquery.ArrayQueryParameter]:
        """Make typed query parameters; the names must be exactly those that the file declares."""
        if values.keys() != self.parameter_types.keys():
            raise ValueError(f"{self.name} takes {sorted(self.parameter_types)}, was given {sorted(values)}")
        return [bound(name, self.parameter_types[name], value) for name, value in values.items()]


@cache
def statement(name: str) -> Statement:
    """Load `sql/<name>.sql`, once."""
    text = (SQL_FOLDER / f"{name}.sql").read_text(encoding="utf-8")
    return Statement(name=name, text=text, parameter_types=_declared(name, text))


def bound(
    name: str, type_name: str, value: Any
) -> bigquery.ScalarQueryParameter | bigquery.ArrayQueryParameter:
    """Make one query parameter of a BigQuery type; `ARRAY<T>` takes a list."""
    if array := _ARRAY.match(type_name):
        return bigquery.ArrayQueryParameter(name, array["element"], value)
    return bigquery.ScalarQueryParameter(name, type_name, value)


def _declared(name: str, text: str) -> dict[str, str]:
    found = _PARAMETERS.search(text)
    if found is None:
        raise ValueError(f"{name}.sql has no line of parameters")
    if found["list"].strip() == "none":
        return {}
    return dict(_pair(item) for item in found["list"].split(","))


def _pair(item: str) -> tuple[str, str]:
    name, type_name = item.split()
    return name, type_name


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
    """Runs `sql/<name>.sql`; a read may be repeated, a write has a job ID and runs once."""

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


_TIMEOUT_SECONDS = 300.0


def define(central: Central, statement: Statement, **identifiers: str) -> list[Row]:
    """Run a statement with its identifiers put in; `project` and `dataset` are known."""
    places: dict[str, str] = {"project": central.project, "dataset": central.dataset, **identifiers}
    sql = statement.render(**places)
    with translated():
        rows: Any = central.client.query_and_wait(
            sql, location=central.location, wait_timeout=_TIMEOUT_SECONDS, retry=RETRY
        )
        return [dict(row.items()) for row in rows]
