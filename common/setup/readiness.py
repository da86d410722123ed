"""Readiness: BigQuery's streaming learns of new, remade and changed tables minutes after queries do.

Meanwhile it answers 404, or takes rows and loses them. So such a table says of itself from when rows may be
streamed to it, every function that streams goes by that, and bootstrap lets them in once probes have arrived.
"""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import compress
from typing import Protocol

from common.at_once import AtOnce, in_threads
from common.setup.tables import TableDefinition
from common.times import Clock

logger = logging.getLogger(__name__)

STREAMED_TABLES = frozenset(
    {
        "platform_audit_log",
        "tenant_dq_results",
        "tenant_pipeline_execution_queue",
        "tenant_pipeline_runs",
        "tenant_scheduled_pipeline_runs",
        "tenant_step_logs",
    }
)
"""The central tables that rows are streamed to; INSERT, which appends to all others, knows them at once."""
MAX_HOLD = timedelta(minutes=15)
"""Longer than BigQuery takes: should a bootstrap die, rows are let in after this time by themselves."""
LOOK_AGAIN = timedelta(seconds=10)
"""How soon everybody who streams learns that a table is held."""
PATIENCE = timedelta(minutes=2)
"""How long bootstrap waits for probes; a repeat of the call waits again."""
PROBES = 2
"""Calls whose rows must arrive: not all of BigQuery learns of a table at one moment."""
MAX_PAUSE_SECONDS = 15.0


class StreamTargets(Protocol):
    """Tables, as far as streaming to them goes."""

    def hold(self, table: str, until: datetime) -> None:
        """Have nobody stream to a table before a moment."""

    def release(self, table: str) -> None:
        """Let everybody stream to a table."""

    def held(self, now: datetime) -> Mapping[str, datetime]:
        """Return the central tables that rows are kept from, each with the moment until which they are."""

    def stream_probe(self, definition: TableDefinition, probe_id: str, columns: Collection[str]) -> bool:
        """Stream a row that no reader takes for one, with values in these columns; False where refused."""

    def count_probes(self, definition: TableDefinition, probe_id: str) -> int:
        """Count the probes of this ID that can be read."""


def _nothing(_seconds: float) -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamingReadiness:
    """Keeps rows from tables until they arrive there."""

    targets: StreamTargets
    clock: Clock
    new_id: Callable[[], str]
    sleep: Callable[[float], None] = field(default=_nothing)
    at_once: AtOnce = in_threads

    def hold(self, tables: Collection[str]) -> None:
        """Keep rows from tables that are about to be remade, and wait until everybody knows."""
        held = sorted(STREAMED_TABLES & set(tables))
        for table in held:
            self.targets.hold(table, self.clock() + MAX_HOLD)
        if held:
            self.sleep(2 * LOOK_AGAIN.total_seconds())

    def release_ready(
        self, definitions: Sequence[TableDefinition], changed: Mapping[str, Sequence[str]]
    ) -> Mapping[str, datetime]:
        """Let rows into each table that was held or `changed` (with its new columns) once probes arrive.

        Return those for which time was too short, each with the moment until which rows are kept from it.
        """
        now = self.clock()
        held = dict(self.targets.held(now))
        for table in sorted(STREAMED_TABLES & changed.keys() - held.keys()):
            held[table] = now + MAX_HOLD
            self.targets.hold(table, held[table])
        waiting = {one.name: one for one in definitions if one.name in held}
        probe_ids = {table: f"probe-{table}-{self.new_id()}" for table in waiting}
        pause, until = 1.0, now + PATIENCE
        while waiting:
            tables = list(waiting)
            are_in = self.at_once(
                lambda table: self._lets_in(waiting[table], probe_ids[table], changed.get(table, ())), tables
            )
            for table in compress(tables, are_in):
                del waiting[table]
            if not waiting or self.clock() + timedelta(seconds=pause) > until:
                break
            self.sleep(pause)
            pause = min(2 * pause, MAX_PAUSE_SECONDS)
        if waiting:
            logger.warning("rows do not arrive yet", extra={"tables": sorted(waiting)})
        return {table: held[table] for table in sorted(waiting)}

    def _lets_in(self, definition: TableDefinition, probe_id: str, columns: Collection[str]) -> bool:
        """Let rows into a table if probes arrive."""
        for _ in range(PROBES):
            if not self.targets.stream_probe(definition, probe_id, columns):
                return False
        if self.targets.count_probes(definition, probe_id) < PROBES:
            return False
        self.targets.release(definition.name)
        return True
