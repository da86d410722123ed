"""Rows streamed into the central log tables (`tabledata.insertAll`): no DML limits, one call per event."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import Any

from common.errors import RowsRefused
from common.warehouse.queries import Central
from common.warehouse.translation import translated

MOST_ROWS = 500
"""Rows in one call: what BigQuery advises, and far below the 10 MB that it takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Streaming:
    """Appends rows, each with an insert ID made from its key, so that BigQuery drops most repeats."""

    central: Central

    def append(self, table: str, rows: Mapping[str, Mapping[str, Any]]) -> None:
        """Append rows, given by insert ID, 500 in a call; readers deduplicate too: the IDs are best effort.

        Where a call fails, rows of the calls before it stay.
        """
        for portion in batched(rows.items(), MOST_ROWS, strict=False):
            self._append(table, dict(portion))

    def _append(self, table: str, rows: Mapping[str, Mapping[str, Any]]) -> None:
        with translated():
            faults: Sequence[Mapping[str, Any]] = self.central.client.insert_rows_json(
                self.central.table(table), list(rows.values()), row_ids=list(rows)
            )
        if faults:
            raise RowsRefused(f"{table} refused rows: {_summary(faults)}")


def _summary(faults: Sequence[Mapping[str, Any]]) -> str:
    # Locations and reasons only: a fault's message can quote the row's values.
    places = sorted(
        {f"{error.get('location')}: {error.get('reason')}" for fault in faults for error in fault["errors"]}
    )
    return "; ".join(places)
