"""The tables that rows are streamed to (`common.setup.readiness.StreamTargets`).

A table's label says from when; whoever streams looks at it every few seconds. `tables.get` bills nothing.
"""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from google.api_core import exceptions as google
from google.cloud import bigquery

from common.errors import NoSuchResource, NotConfigured, RowsRefused, Unavailable
from common.recent_answers import RecentAnswers
from common.setup.readiness import LOOK_AGAIN, STREAMED_TABLES
from common.setup.tables import Column, TableDefinition
from common.times import Clock, to_rfc3339
from common.warehouse.jobs import RETRY, TIMEOUT_SECONDS
from common.warehouse.queries import Central
from common.warehouse.statements import statement
from common.warehouse.streaming import Streaming
from common.warehouse.translation import translated

HELD_UNTIL = "streaming_held_until"
"""The label: seconds since 1970."""
NEVER = datetime.fromtimestamp(0, UTC)
PROBE = "_probe"
"""What a probe has in each column that must have a text; no tenant can be called so."""
_VALUES: dict[str, Any] = {"STRING": PROBE, "INTEGER": 0, "FLOAT": 0.0, "BOOLEAN": False, "JSON": "{}"}


def hold_label(until: datetime) -> dict[str, str]:
    """Return the label that keeps rows from a table until a moment."""
    return {HELD_UNTIL: str(int(until.timestamp()))}


def _recent() -> RecentAnswers[datetime]:
    return RecentAnswers(lifetime=LOOK_AGAIN, capacity=len(STREAMED_TABLES))


@dataclass(frozen=True, slots=True, kw_only=True)
class CentralStreamTargets:
    """Looks at tables before rows are streamed to them, and keeps rows away."""

    central: Central
    clock: Clock
    _seen: RecentAnswers[datetime] = field(default_factory=_recent, repr=False)

    def require(self, table: str) -> None:
        """Raise NotConfigured where there is no such table, Unavailable where rows are kept from it."""
        now = self.clock()
        until = self._seen.get(table, now)
        if until is None:
            until = self._held_until(table)
            if until is None:
                # BigQuery would remember that it was asked for a table that is not there.
                raise NotConfigured(f"there is no table {table} yet: call POST /admin/bootstrap")
            self._seen.put(table, until, now)
        if until > now:
            raise Unavailable(f"{table} takes no rows before {to_rfc3339(until)}, or until they arrive")

    def hold(self, table: str, until: datetime) -> None:
        """Have nobody stream to a table before a moment."""
        changed = bigquery.Table(self.central.table(table))
        changed.labels = hold_label(until)
        with translated():
            self.central.client.update_table(changed, ["labels"], retry=RETRY, timeout=TIMEOUT_SECONDS)
        self._seen.put(table, until, self.clock())

    def release(self, table: str) -> None:
        """Let everybody stream to a table."""
        self.hold(table, NEVER)

    def held(self, now: datetime) -> Mapping[str, datetime]:
        """Return the central tables that rows are kept from, each with the moment until which they are."""
        found = {table: self._held_until(table) for table in sorted(STREAMED_TABLES)}
        return {table: until for table, until in found.items() if until and until > now}

    def stream_probe(self, definition: TableDefinition, probe_id: str, columns: Collection[str]) -> bool:
        """Stream a row that no reader takes for one, with values in these columns; False where refused."""
        row = {
            column.name: self._value(column)
            for column in definition.shape.columns
            if column.mode == "REQUIRED" or column.name in columns
        }
        row[_key(definition)] = probe_id
        # Bootstrap waits by itself, for more than one table at a time.
        streaming = Streaming(central=self.central, pauses_seconds=())
        try:
            streaming.append(definition.name, {str(uuid.uuid4()): row})
        except (NoSuchResource, RowsRefused, Unavailable):
            return False
        return True

    def count_probes(self, definition: TableDefinition, probe_id: str) -> int:
        """Count the probes of this ID that can be read."""
        template = statement("setup/count_probes")
        sql = template.render(
            project=self.central.project,
            dataset=self.central.dataset,
            table=definition.name,
            partition=definition.shape.partition,
            key=_key(definition),
        )
        since = self.clock() - timedelta(days=1)
        config = bigquery.QueryJobConfig(
            query_parameters=template.bind({"probe_id": probe_id, "since": since})
        )
        with translated():
            (row,) = self.central.client.query_and_wait(
                sql, job_config=config, location=self.central.location, wait_timeout=TIMEOUT_SECONDS
            )
        return int(row["probes"])

    def _held_until(self, table: str) -> datetime | None:
        """Return what a table says of itself, None where there is none."""
        with translated():
            try:
                found = self.central.client.get_table(
                    self.central.table(table), retry=RETRY, timeout=TIMEOUT_SECONDS
                )
            except google.NotFound:
                return None
        return datetime.fromtimestamp(int(found.labels.get(HELD_UNTIL) or 0), UTC)

    def _value(self, column: Column) -> Any:
        now = self.clock()
        values = _VALUES | {"TIMESTAMP": to_rfc3339(now), "DATE": now.date().isoformat()}
        return [] if column.mode == "REPEATED" else values[column.type]


def _key(definition: TableDefinition) -> str:
    """Name the column that says which row it is: the first one."""
    return definition.shape.columns[0].name
