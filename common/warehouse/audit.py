"""The audit log in the central dataset (`common.tenants.audit.AuditLog`)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from common.tenants.audit import AuditEntry, AuditFilter, Outcome
from common.times import to_rfc3339
from common.warehouse.bigquery import Queries, Row
from common.warehouse.streaming import Streaming


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRows:
    """Appends rows by streaming: an action has one when it is asked for and one when it has ended."""

    queries: Queries
    streaming: Streaming

    def append(self, entry: AuditEntry, *, recorded_at: datetime) -> None:
        """Append a row; NoSuchResource before the platform is set up."""
        row = asdict(entry) | {
            "outcome": entry.outcome.value,
            "occurred_at": to_rfc3339(entry.occurred_at),
            "details": json.dumps(dict(entry.details)),
            "recorded_at": to_rfc3339(recorded_at),
        }
        self.streaming.append("platform_audit_log", {f"{entry.audit_id}-{entry.outcome.value}": row})

    def read(self, wanted: AuditFilter) -> Sequence[AuditEntry]:
        """Read actions, each with its latest outcome, newest first."""
        rows = self.queries.read(
            "audit/entries",
            tenant_id=wanted.tenant_id,
            since=wanted.since,
            before=wanted.before,
            most=wanted.limit,
        )
        return [_entry(row) for row in rows]

    def last_uses(self, tenant_id: str, since: datetime) -> Mapping[str, datetime]:
        """Return when each key of a tenant was last seen, by the key's ID."""
        rows = self.queries.read("audit/last_uses", tenant_id=tenant_id, since=since)
        return {row["api_key_id"]: row["last_used_at"] for row in rows}


def _entry(row: Row) -> AuditEntry:
    return AuditEntry(
        **row | {"outcome": Outcome(row["outcome"]), "details": json.loads(row["details"] or "{}")}
    )
