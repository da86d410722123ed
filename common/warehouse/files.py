"""The ledgers of files (`common.runs.files`): one table in a tenant's dataset, numbers that are job IDs."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count, islice
from typing import Any

from google.cloud import bigquery

from common.errors import AlreadyExists, NoSuchResource, Unavailable, WarehouseError
from common.runs.files import FILES_IN_USE, BatchState, FileBatch, LedgerReading, StoredFile
from common.setup.tables import tenant_table
from common.times import to_rfc3339
from common.warehouse.bigquery import Row, statement
from common.warehouse.clients import RETRY, TIMEOUT_SECONDS
from common.warehouse.setup import schema_fields
from common.warehouse.translation import translated

TABLE = "_cvg_loaded_files"
MAX_SKIPPED = 100
READ_SECONDS = 60.0
_DIGITS_OF_LEDGER = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLedgerRows:
    """Ledgers of one tenant's tables, kept by an account that may make tables in its dataset."""

    client: bigquery.Client
    location: str
    project: str
    dataset: str

    def read(self, table: str, job_id: str, prefixes: Sequence[str]) -> LedgerReading:
        """Read a table's ledger; it is made where there is none."""
        self._made()
        sql, config = self._prepared("files/read", table_name=table, job_id=job_id, prefixes=[*prefixes])
        with translated():
            found = self.client.query_and_wait(
                sql, job_config=config, location=self.location, retry=RETRY, wait_timeout=READ_SECONDS
            )
            rows = [dict(row.items()) for row in found]
        return _reading(self.dataset, table, job_id, rows)

    def append(self, batch: FileBatch, ended: Sequence[FileBatch]) -> bool:
        """Take a number, that of the batch or the first behind it whose job has not failed."""
        ledger = self._key(batch.table)
        for number in islice(count(batch.number), MAX_SKIPPED):
            job_id = f"cvg-files-{self.dataset}-{ledger}-{number}"
            try:
                self._insert(job_id, batch, number, ended)
            except AlreadyExists:
                if self._has_been_taken(job_id):
                    return False
            else:
                return True
        raise Unavailable(f"the ledger of {batch.table} has no number left to take", FILES_IN_USE)

    def _insert(self, job_id: str, batch: FileBatch, number: int, ended: Sequence[FileBatch]) -> None:
        sql, config = self._prepared(
            "files/append",
            table_name=batch.table,
            entries=json.dumps([*_entries(batch, number)]),
            ended=json.dumps([{"batch": one.number, "state": one.state.value} for one in ended]),
        )
        config.labels = dict(batch.labels)
        config.job_timeout_ms = int(READ_SECONDS * 1000)
        with translated():
            self.client.query(
                sql,
                job_config=config,
                job_id=job_id,
                location=self.location,
                retry=RETRY,
                job_retry=None,
                timeout=TIMEOUT_SECONDS,
            ).result(timeout=READ_SECONDS, job_retry=None)

    def _has_been_taken(self, job_id: str) -> bool:
        """Tell whether the job of a number, once it is done, has written its rows."""
        try:
            with translated():
                job: Any = self.client.get_job(job_id, location=self.location, retry=RETRY)
        except NoSuchResource:
            return False  # It is too old to be told of, and its rows would have been read.
        try:
            with translated():
                job.result(timeout=READ_SECONDS)
        except Unavailable:
            raise
        except WarehouseError:
            return False
        return True

    def _made(self) -> bigquery.Table:
        """Return the table of ledgers; make it where it is missing."""
        name = f"{self.project}.{self.dataset}.{TABLE}"
        try:
            with translated():
                return self.client.get_table(name, retry=RETRY, timeout=TIMEOUT_SECONDS)
        except NoSuchResource:
            definition = tenant_table(TABLE)
            made = bigquery.Table(name, schema=schema_fields(definition.shape.columns))
            made.description = definition.description
            made.clustering_fields = list(definition.shape.cluster)
            with translated():
                return self.client.create_table(made, exists_ok=True, retry=RETRY, timeout=TIMEOUT_SECONDS)

    def _key(self, table: str) -> str:
        """Name one table's numbers; those of a table of ledgers that is made anew begin anew."""
        made_at = self._made().created or datetime.fromtimestamp(0, UTC)
        text = f"{self.dataset}/{table}/{made_at.timestamp()}"
        return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS_OF_LEDGER]

    def _prepared(self, name: str, **values: Any) -> tuple[str, bigquery.QueryJobConfig]:
        template = statement(name)
        sql = template.render(project=self.project, dataset=self.dataset)
        return sql, bigquery.QueryJobConfig(query_parameters=template.bind(values))


def closing_query(
    project: str, dataset: str, table: str, labels: Mapping[str, str]
) -> tuple[str, bigquery.QueryJobConfig]:
    """Return the statement which writes down that the files are loaded that a step has taken last."""
    template = statement("files/close")
    values = {"table_name": table, "run_id": labels["run"], "step_id": labels["step"]}
    config = bigquery.QueryJobConfig(query_parameters=template.bind(values), labels=dict(labels))
    return template.render(project=project, dataset=dataset), config


def _reading(tenant_id: str, table: str, job_id: str, rows: Sequence[Row]) -> LedgerReading:
    by_number: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        by_number[row["batch"]].append(row)
    batches = [_batch(tenant_id, table, number, found) for number, found in sorted(by_number.items())]
    loaded = (batch for batch in batches if batch.state is BatchState.LOADED)
    return LedgerReading(
        now=rows[0]["read_at"] if rows else datetime.now(UTC),
        last_number=batches[-1].number if batches else 0,
        own=next((batch for batch in batches if batch.job_id == job_id), None),
        open=tuple(
            batch for batch in batches if batch.state is BatchState.CLAIMED and batch.job_id != job_id
        ),
        loaded=frozenset((file.uri, file.generation) for batch in loaded for file in batch.files),
    )


def _batch(tenant_id: str, table: str, number: int, rows: Sequence[Row]) -> FileBatch:
    first = rows[0]
    return FileBatch(
        table=table,
        number=number,
        job_id=first["job_id"],
        labels={
            "tenant": tenant_id,
            "pipeline": first["pipeline_id"],
            "run": first["pipeline_logging_id"],
            "step": first["step_id"],
        },
        project=first["job_project"] or "",
        files=tuple(sorted(_file(row) for row in rows if row["uri"] is not None)),
        claimed_at=first["recorded_at"],
        state=BatchState(first["state"]),
    )


def _file(row: Row) -> StoredFile:
    return StoredFile(
        uri=row["uri"], generation=row["generation"], size=row["size_bytes"], updated_at=row["updated_at"]
    )


def _entries(batch: FileBatch, number: int) -> Iterator[dict[str, Any]]:
    """Write a batch as rows: one for each file, and one for none."""
    common = {
        "batch": number,
        "job_id": batch.job_id,
        "job_project": batch.project or None,
        "pipeline_id": batch.labels["pipeline"],
        "pipeline_logging_id": batch.labels["run"],
        "step_id": batch.labels["step"],
    }
    if not batch.files:
        yield common
    for file in batch.files:
        yield common | {
            "uri": file.uri,
            "generation": file.generation,
            "size_bytes": file.size,
            "updated_at": to_rfc3339(file.updated_at),
        }
