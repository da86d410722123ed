"""Steps of each type whose process dies before a request about them, one after the other: all write once.

Every run is delivered until it is acknowledged, and once more. Here the first run tells what its step asks
for, and each later one dies between one of its jobs and what is written down of it; of types that make the
same requests one has its turn. `make check-kills` dies before each request, with each type.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from google.cloud._http import JSONConnection

from local.platform import OPEN_BUCKET
from tests.functional.site import Site, Tenant

FIRST = date(2026, 3, 1)
ALIKE = {
    "incremental, append",
    "incremental, merge",
    "incremental, delete_insert",
    "incremental, partition_overwrite",
    "load, all",
    "snapshot",
}
"""What makes the same requests as a history, a load or a copy does, one after the other."""
ELSEWHERE = {"extract of a query"}
"""What `test_files` lets die after each of its jobs, while what it reads changes."""
NEW = "SELECT ${number} AS id, ${date} AS d, 'v' AS v"
"""A row that is new with each run."""
CHANGING = (
    "SELECT id, ${date} AS d, IF(id = 1, FORMAT('%d', ${number}), 'v') AS v"
    " FROM UNNEST([1, ${number} + 1]) AS id"
)
"""A row that changes with each run, and one that is new."""


LATE = 100
"""What is added to a run's number for the file that comes in too late for it, or just in time."""


class Killed(BaseException):
    """The function's process dies: nothing in the code may catch it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A step, and what must be there after a number of runs."""

    ps_type: str
    config: dict[str, Any]
    read: str = "SELECT id, v FROM {kept} ORDER BY id, v"
    expected: Callable[[int], list[tuple[Any, ...]]]
    prepare: Callable[["Stand", int], None] = field(default=lambda _stand, _number: None)
    meanwhile: Callable[["Stand", int], None] = field(default=lambda _stand, _number: None)
    """What happens between the death of a run's process and its message's next delivery."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """A tenant, and what is a test's own of it: a pipeline, tables and files that have its name."""

    tenant: Tenant
    name: str

    @property
    def folder(self) -> Path:
        return self.tenant.files / self.name

    @property
    def source(self) -> str:
        return f"{self.tenant.tenant_id}.{self.name}_src"

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        found = self.tenant.site.rows(sql.format(kept=f"{self.tenant.tenant_id}.{self.name}"))
        return [tuple(row.values()) for row in found]


def one_each(runs: int) -> list[tuple[Any, ...]]:
    return [(number, "v") for number in range(1, runs + 1)]


def changed_and_new(runs: int) -> list[tuple[Any, ...]]:
    return [(1, str(runs)), *((number, "v") for number in range(2, runs + 2))]


def versions(runs: int) -> list[tuple[Any, ...]]:
    """List the versions of a history: the first row has one of each run, each other is gone with the next."""
    changed = [(1, str(number), number == runs) for number in range(1, runs + 1)]
    return [*sorted(changed), *((number, "v", number == runs + 1) for number in range(2, runs + 2))]


def make_source(stand: Stand, number: int) -> None:
    stand.tenant.site.rows(f"CREATE OR REPLACE TABLE {stand.source} AS SELECT {number} AS id, 'v' AS v")


def put_file(stand: Stand, number: int) -> None:
    (stand.folder / f"in-{number}.csv").write_text(f"{number},v\n")


def put_late_file(stand: Stand, number: int) -> None:
    put_file(stand, LATE + number)


def one_of_each_file(runs: int) -> list[tuple[Any, ...]]:
    return one_each(runs) + [(LATE + number, "v") for number in range(1, runs)]


FILES = f"gs://{OPEN_BUCKET}/${{tenant_id}}/{{name}}"
TARGET = {"target_table": "{name}"}
BY_KEY = TARGET | {"unique_key": ["id"]}
COLUMNS = {"schema": [{"name": "id", "type": "INT64"}, {"name": "v", "type": "STRING"}]}
LOAD = TARGET | COLUMNS | {"uris": f"{FILES}/in-*.csv", "format": "csv"}
CASES: dict[str, Case] = {
    "query, appended": Case(
        ps_type="bq_etl.query",
        config=TARGET | {"source_query": NEW, "write_disposition": "WRITE_APPEND"},
        expected=one_each,
    ),
    "incremental, append": Case(
        ps_type="bq_etl.incremental",
        config=TARGET | {"source_query": NEW, "strategy": "append"},
        expected=one_each,
    ),
    "incremental, merge": Case(
        ps_type="bq_etl.incremental",
        config=BY_KEY | {"source_query": CHANGING, "strategy": "merge"},
        expected=changed_and_new,
    ),
    "incremental, delete_insert": Case(
        ps_type="bq_etl.incremental",
        config=BY_KEY | {"source_query": CHANGING, "strategy": "delete_insert"},
        expected=changed_and_new,
    ),
    "incremental, partition_overwrite": Case(
        ps_type="bq_etl.incremental",
        config=TARGET | {"source_query": NEW, "strategy": "partition_overwrite", "partition": {"field": "d"}},
        expected=one_each,
    ),
    "scd2": Case(
        ps_type="bq_etl.scd2",
        config=BY_KEY | {"source_query": CHANGING.replace("${date} AS d, ", ""), "hard_deletes": "close"},
        read="SELECT id, v, valid_to IS NULL FROM {kept} ORDER BY id, v",
        expected=versions,
    ),
    "copy, appended": Case(
        ps_type="bq_etl.copy",
        config=TARGET | {"source_tables": ["{name}_src"], "write_disposition": "WRITE_APPEND"},
        expected=one_each,
        prepare=make_source,
    ),
    "snapshot": Case(
        ps_type="bq_etl.snapshot",
        config={"source_table": "{name}_src", "target_table": "{name}_", "retention_days": 1},
        read="SELECT id, v FROM `{kept}_2*` ORDER BY id",
        expected=one_each,
        prepare=make_source,
    ),
    "load": Case(
        ps_type="bq_etl.load",
        config=LOAD,
        expected=one_of_each_file,
        prepare=put_file,
        meanwhile=put_late_file,
    ),
    "load, all": Case(
        ps_type="bq_etl.load",
        config=LOAD | {"mode": "all"},
        expected=one_of_each_file,
        prepare=put_file,
        meanwhile=put_late_file,
    ),
    "extract of a query": Case(
        ps_type="bq_etl.extract",
        config={"source_query": NEW, "uris": f"{FILES}/out-${{date}}-*.json", "format": "json"},
        read="",
        expected=one_each,
    ),
}


@pytest.fixture
def stand(common_tenant: Tenant, name: str) -> Stand:
    """Give the test of a case what is its own."""
    made = Stand(tenant=common_tenant, name=re.sub(r"\W+", "_", name))
    made.folder.mkdir(parents=True)
    return made


def found(stand: Stand, case: Case) -> list[tuple[Any, ...]]:
    """Read what the runs have left: rows, or lines of files."""
    if case.read:
        return stand.rows(case.read)
    lines = [line for path in stand.folder.glob("out-*") for line in path.read_text().splitlines()]
    return sorted((int(row["id"]), row["v"]) for row in map(json.loads, lines))


def is_about_the_step(request: dict[str, Any], tenant_id: str) -> bool:
    """Tell a step's own requests, and those that write down what it came to, from all others."""
    path = request["path"]
    if "cvg-queue-" in path:  # Whether a run waits: its step is done.
        return False
    is_in_its_dataset = tenant_id in json.dumps(request, default=str) and "/datasets/tenants/" not in path
    return is_in_its_dataset or any(one in path for one in ("cvg-step-", "cvg-files-", "tenant_step_logs"))


def delivered_up_to(
    site: Site, tenant_id: str, message: dict[str, Any], last: int | None, monkeypatch: pytest.MonkeyPatch
) -> list[dict[str, Any]]:
    """Deliver a message to a process that dies before a request about its step; return those it came to."""
    ask, asked = JSONConnection.api_request, list[dict[str, Any]]()

    def ask_or_die(connection: JSONConnection, **request: Any) -> Any:
        if is_about_the_step(request, tenant_id):
            asked.append(request)
            if len(asked) == last:
                raise Killed
        return ask(connection, **request)  # type: ignore[no-untyped-call]

    with monkeypatch.context() as patched, suppress(Killed):
        patched.setattr(JSONConnection, "api_request", ask_or_die)
        site.deliver(message)
    return asked


def makes_a_job(request: dict[str, Any]) -> bool:
    """Tell whether a request makes the step's job, which works."""
    job = request.get("data") or {}
    return (
        request["path"].endswith("/jobs")
        and not job["configuration"].get("dryRun")
        and job["jobReference"]["jobId"].startswith("cvg-step-")
    )


def a_file(case: Case, name: str) -> str:
    config = json.loads(json.dumps(case.config).replace("{name}", name))
    step = {"id": "work", "ps_type": case.ps_type, "config": config}
    return json.dumps(
        {
            "pipeline": {"name": "Killed"},
            "parameters": {"number": {"type": "INT64", "required": True}},
            "steps": [step | {"retry": {"attempts": 3, "backoff_seconds": 0}}],
        }
    )


def die_before(
    site: Site, stand: Stand, monkeypatch: pytest.MonkeyPatch, case: Case, deaths: Iterable[int | None]
) -> Iterator[list[dict[str, Any]]]:
    """Let each of some runs die before one of its requests, and yield those that it came to before."""
    tenant = stand.tenant
    saved = tenant.upload(stand.name, a_file(case, stand.name))
    assert saved.status_code == 201, saved.text
    for number, death in enumerate(deaths, start=1):
        case.prepare(stand, number)
        day = FIRST + timedelta(days=number)
        run_id = tenant.run(stand.name, {"date": day.isoformat(), "parameters": {"number": number}})
        (message,) = site.take_levels()
        asked = delivered_up_to(site, tenant.tenant_id, message, death, monkeypatch)
        case.meanwhile(stand, number)
        for _ in range(2):
            site.deliver_until_acknowledged(message)
            site.drain()
        status = tenant.status(run_id)
        assert status["status"] == "COMPLETED", (death, status["error_message"])
        rows = [row for row in found(stand, case) if row[0] != LATE + number]
        assert rows == case.expected(number), f"killed before request {death}"
        yield asked


@pytest.mark.parametrize("name", [name for name in CASES if name not in ALIKE | ELSEWHERE])
def test_a_step_whose_process_dies_after_a_job_of_it_writes_once(
    site: Site, stand: Stand, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    deaths = list[int | None]([None])
    for asked in die_before(site, stand, monkeypatch, CASES[name], deaths):
        if len(deaths) == 1:
            deaths += [after for after, request in enumerate(asked, start=2) if makes_a_job(request)]
    assert len(deaths) > 1
