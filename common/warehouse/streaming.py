"""Rows streamed into the central log tables (`tabledata.insertAll`): no DML limits, one call per event."""

import hashlib
import time
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import batched
from typing import Any

from google.api_core import exceptions as google
from google.cloud import bigquery

from common.at_once import in_threads
from common.errors import NoSuchResource, NotConfigured, RowsRefused, Unavailable
from common.recent_answers import RecentAnswers
from common.setup.readiness import LOOK_AGAIN, STREAMED_TABLES
from common.setup.tables import Column, TableDefinition, central_tables
from common.times import Clock, to_rfc3339
from common.warehouse.bigquery import Central, statement
from common.warehouse.clients import RETRY, TIMEOUT_SECONDS
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
        tables = sorted(STREAMED_TABLES)
        found = zip(tables, in_threads(self._held_until, tables), strict=True)
        return {table: until for table, until in found if until and until > now}

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


MAX_INSERT_ID_CHARACTERS = 128
"""BigQuery refuses rows whose insert IDs have more."""
MAX_ROWS = 500
"""Rows in one call: what BigQuery advises, and far below the 10 MB that it takes."""
PAUSES_SECONDS = (0.5, 1.5, 4.0)
"""Before each further try where streaming does not know a table or a column yet: seconds of the minutes that
this can take, for the rest is the caller's to wait."""
NO_SUCH_FIELD = "no such field"

type Rows = Mapping[str, Mapping[str, Any]]
type RowErrors = Sequence[Mapping[str, Any]]


def _anything(_table: str) -> None:
    return None


def _known_tables() -> frozenset[str]:
    return frozenset(definition.name for definition in central_tables())


@dataclass(frozen=True, slots=True, kw_only=True)
class Streaming:
    """Appends rows, each with an insert ID made from its key, so that BigQuery drops most repeats."""

    central: Central
    sleep: Callable[[float], None] = time.sleep
    pauses_seconds: Sequence[float] = PAUSES_SECONDS
    check: Callable[[str], None] = _anything
    """Raises where a table cannot take rows now: it is not there, or rows would not arrive."""
    known: frozenset[str] = field(default_factory=_known_tables)
    """Tables that are defined: where BigQuery does not find one of them, it does not find it yet."""

    def append(self, table: str, rows: Rows) -> None:
        """Append rows, given by insert ID, 500 in a call; readers deduplicate too: the IDs are best effort.

        Where a call fails, rows of the calls before it stay. Unavailable where BigQuery does not know the
        table, or a column of it, yet: streaming learns of changes minutes after queries do.
        """
        self.check(table)
        for portion in batched(rows.items(), MAX_ROWS, strict=False):
            self._append(table, dict(portion))

    def _append(self, table: str, rows: Rows) -> None:
        too_early = self._try(table, rows)
        for pause in self.pauses_seconds:
            if too_early is None:
                return
            self.sleep(pause)
            too_early = self._try(table, rows)
        if too_early:
            raise too_early

    def _try(self, table: str, rows: Rows) -> Unavailable | None:
        """Stream rows; where BigQuery does not know the table or a column yet, return what to say of it."""
        try:
            with translated():
                errors: RowErrors = self.central.client.insert_rows_json(
                    self.central.table(table), list(rows.values()), row_ids=[insert_id(key) for key in rows]
                )
        except NoSuchResource as missing:
            if table not in self.known:
                raise
            return Unavailable(f"{table} cannot be streamed to yet", missing.reason)
        if errors and _is_about_new_columns(errors):
            return Unavailable(f"{table} takes no new columns yet: {_summary(errors)}")
        if errors:
            raise RowsRefused(f"{table} refused rows: {_summary(errors)}")
        return None


def insert_id(key: str) -> str:
    """Make a row's insert ID of its key; a key that is too long for one goes by its hash."""
    if len(key) <= MAX_INSERT_ID_CHARACTERS:
        return key
    digest = hashlib.sha256(key.encode()).hexdigest()
    return f"{key[: MAX_INSERT_ID_CHARACTERS - len(digest) - 1]}-{digest}"


def _is_about_new_columns(errors: RowErrors) -> bool:
    """Tell whether all that is wrong is unknown columns; of a refused call, sound rows are `stopped`."""
    found = [error for row in errors for error in row["errors"] if error.get("reason") != "stopped"]
    return bool(found) and all(NO_SUCH_FIELD in str(error.get("message", "")).lower() for error in found)


def _summary(errors: RowErrors) -> str:
    # Locations and reasons only: an error's message can quote the row's values.
    places = sorted(
        {f"{error.get('location')}: {error.get('reason')}" for row in errors for error in row["errors"]}
    )
    return "; ".join(places)
