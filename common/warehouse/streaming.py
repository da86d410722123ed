"""Rows streamed into the central log tables (`tabledata.insertAll`): no DML limits, one call per event."""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import batched
from typing import Any

from common.errors import NoSuchResource, RowsRefused, Unavailable
from common.setup.tables import central_tables
from common.warehouse.queries import Central
from common.warehouse.translation import translated

MAX_INSERT_ID_CHARACTERS = 128
"""BigQuery refuses rows whose insert IDs have more."""
MOST_ROWS = 500
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
        for portion in batched(rows.items(), MOST_ROWS, strict=False):
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
