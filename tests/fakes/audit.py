"""The audit log in memory."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import count

from common.tenants.audit import AuditEntry, AuditFilter, Auditor
from tests.fakes.clock import VirtualClock


class MemoryAudit:
    """`AuditLog`; what `fault` holds is raised by the next appends."""

    def __init__(self) -> None:
        self.rows: list[AuditEntry] = []
        self.fault: Exception | None = None
        self.asked: list[AuditFilter] = []

    def append(self, entry: AuditEntry, *, recorded_at: datetime) -> None:
        if self.fault:
            raise self.fault
        self.rows.append(entry)

    def read(self, wanted: AuditFilter) -> Sequence[AuditEntry]:
        self.asked.append(wanted)
        latest = {row.audit_id: row for row in self.rows}
        found = [
            row
            for row in latest.values()
            if wanted.since <= row.occurred_at < wanted.before and wanted.tenant_id in {"", row.tenant_id}
        ]
        return sorted(found, key=lambda row: row.occurred_at, reverse=True)[: wanted.limit]

    def last_uses(self, tenant_id: str, since: datetime) -> Mapping[str, datetime]:
        return {
            row.actor.removeprefix("key:"): row.occurred_at
            for row in self.rows
            if row.tenant_id == tenant_id and row.actor.startswith("key:") and row.occurred_at >= since
        }


def an_auditor(log: MemoryAudit | None = None) -> Auditor:
    """Make an auditor over a log in memory."""
    numbers = count(1)
    return Auditor(log=log or MemoryAudit(), clock=VirtualClock(), new_id=lambda: f"audit-{next(numbers)}")
