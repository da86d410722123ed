"""What a round asks of the platform, and what must have come of it in the end."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from threading import Event
from typing import Self

import requests
from google.api_core.exceptions import NotFound
from google.cloud import bigquery

from tests.e2e.platforms import RunningPlatform
from tests.e2e.tenants import ENDED, Tenant, query_step

APPENDS = 8
"""Runs of a tenant that append; all of them fit into its plan at once."""
PAUSE_SECONDS = 0.5
MINUTES_TO_END = 20
"""A run whose message is lost is found by the sweeper, after ten minutes at the latest."""
RETRY = {"attempts": 10, "backoff_seconds": 1}
TABLES = ("appended", "counted", "replaced", "filled")


@dataclass(slots=True)
class Asked:
    """A run that is asked for until it is answered, under one idempotency key."""

    config_id: str
    number: int
    run_id: str = ""
    status: str = ""


@dataclass(slots=True)
class Work:
    """A tenant of its own, and its runs. Each run writes its number, so its rows can be told apart."""

    tenant: Tenant
    runs: Sequence[Asked]
    faults: list[str] = field(default_factory=list)

    @classmethod
    def prepared(cls, platform: RunningPlatform, appends: int) -> Self:
        """Onboard a tenant and upload what it runs."""
        tenant = Tenant.onboard(platform.url)
        parameters = {"n": {"type": "INT64"}}
        append = query_step("append", "SELECT ${n} AS n", "appended", write_disposition="WRITE_APPEND")
        count = query_step(
            "count",
            "SELECT ${n} AS n, COUNT(*) AS seen FROM appended WHERE n = ${n}",
            "counted",
            write_disposition="WRITE_APPEND",
            clustering=["n"],
        )
        replaced = query_step("replace", "SELECT ${n} AS n", "replaced", write_disposition="WRITE_TRUNCATE")
        fill = query_step("fill", "SELECT ${n} AS n", "filled", write_disposition="WRITE_EMPTY")
        steps = [{**step, "retry": RETRY} for step in (append, count, replaced)]
        tenant.upload("appends", *steps, parameters=parameters)
        tenant.upload("fills", {**fill, "retry": RETRY}, parameters=parameters)
        runs = [Asked("appends", number) for number in range(1, appends + 1)]
        return cls(tenant=tenant, runs=[*runs, Asked("fills", 0)])

    def ask(self, url: str, is_over: Event) -> None:
        """Ask for each run that has no answer yet, until the platform is gone."""
        tenant = replace(self.tenant, url=url)
        for run in self.runs:
            while not run.run_id and not is_over.is_set():
                try:
                    self._ask_for(tenant, run)
                except requests.RequestException:
                    return  # Killed; the next platform is asked again.

    def look(self, url: str) -> int:
        """Look at the runs that have not ended, and count them."""
        tenant = replace(self.tenant, url=url)
        for run in self.runs:
            if run.status not in ENDED:
                run.status = str(tenant.status(run.run_id)["status"])
        return sum(run.status not in ENDED for run in self.runs)

    def wrong(self, client: bigquery.Client) -> Iterator[str]:
        """Say which runs have not completed, and which rows are doubled or missing."""
        yield from self.faults
        for run in self.runs:
            if run.status != "COMPLETED":
                yield f"run {run.run_id} of {self.tenant.id} ({run.config_id} {run.number}) is {run.status}"
        yield from self._wrong_rows(client)

    def _wrong_rows(self, client: bigquery.Client) -> Iterator[str]:
        once = Counter({run.number: 1 for run in self.runs if run.config_id == "appends"})
        rows = {table: self._rows(client, table) for table in TABLES}
        is_right = {
            "appended": rows["appended"] == once,
            "counted": rows["counted"] == once,
            "replaced": rows["replaced"].total() == 1 and rows["replaced"].keys() <= once.keys(),
            "filled": rows["filled"] == Counter({0: 1}),
        }
        yield from (
            f"{self.tenant.id}.{name} holds {dict(rows[name])}" for name in TABLES if not is_right[name]
        )
        if rows["counted"]:
            for row in client.query_and_wait(f"SELECT n FROM {self.tenant.id}.counted WHERE seen != 1"):
                yield f"run {row.n} of {self.tenant.id} counted before it had appended, or twice"

    def _ask_for(self, tenant: Tenant, run: Asked) -> None:
        body = {"parameters": {"n": run.number}, "queue": True}
        key = f"{run.config_id}-{run.number}"
        answer = tenant.ask("POST", f"/api/v1/pipelines/run/{run.config_id}", body, Idempotency_Key=key)
        if answer.status in {200, 202}:
            run.run_id = str(answer.body["pipeline_logging_id"])
        elif answer.status == 503:
            time.sleep(PAUSE_SECONDS)
        else:
            self.faults.append(f"{run.config_id} {run.number} of {tenant.id}: {answer.status} {answer.body}")
            run.run_id, run.status = "none", "FAILED"

    def _rows(self, client: bigquery.Client, table: str) -> Counter[int]:
        try:
            return Counter(row.n for row in client.query_and_wait(f"SELECT n FROM {self.tenant.id}.{table}"))
        except NotFound:
            return Counter()
