"""What tenants that are no longer ACTIVE leave behind: found, listed, and in the end deleted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from google.api_core import exceptions as google

from common.runs.offboarding_cleanup import LeftoverWork
from common.tenants.audit import Auditor, Outcome
from common.tenants.offboarding import KeptTable
from common.warehouse.admissions import TICKET_WINDOW
from common.warehouse.bigquery import Central, Queries
from common.warehouse.clients import RETRY, TIMEOUT_SECONDS
from common.warehouse.datasets import Datasets
from common.warehouse.queue import WAITING_WINDOW
from common.warehouse.run_views import LATELY
from common.warehouse.setup import LABELS
from common.warehouse.translation import translated

DISPATCHER = "dispatcher"
REMOVAL_WINDOW = timedelta(days=400)
"""How long after its grace a dataset is looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftoverWorkRows:
    """`common.runs.offboarding_cleanup.LeftoverWorkReader`."""

    queries: Queries

    def look(self, deleted_before: datetime, now: datetime) -> LeftoverWork:
        """Return open runs of tenants that are not ACTIVE, and datasets of those DELETED before a moment."""
        (row,) = self.queries.read(
            "tenants/leftover_work",
            deleted_before=deleted_before,
            lately_since=now - LATELY,
            removed_since=deleted_before - REMOVAL_WINDOW,
            since=now - TICKET_WINDOW,
            waiting_since=now - WAITING_WINDOW,
        )
        runs = [tuple(text.split(" ")) for text in (*row["runs"], *row["waiting"])]
        return LeftoverWork(
            runs=[(tenant_id, run_id) for tenant_id, run_id in runs],
            datasets=row["datasets"],
            may_be_more=row["is_lately"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantInventory:
    """`common.tenants.offboarding.Inventory`."""

    central: Central

    def tables_of(self, tenant_id: str) -> Sequence[KeptTable]:
        """List what is in a tenant's dataset, by name; none where the dataset is gone."""
        client = self.central.client
        reference = f"{self.central.project}.{tenant_id}"
        with translated():
            try:
                listed = list(client.list_tables(reference, retry=RETRY, timeout=TIMEOUT_SECONDS))
            except google.NotFound:
                return []
            found = [
                client.get_table(item.reference, retry=RETRY, timeout=TIMEOUT_SECONDS) for item in listed
            ]
        return [
            KeptTable(name=table.table_id, type=table.table_type, rows=table.num_rows, bytes=table.num_bytes)
            for table in sorted(found, key=lambda table: str(table.table_id))
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantRemover:
    """`common.runs.offboarding_cleanup.Remover`. A dataset that is not marked as the tenant's stays."""

    central: Central
    auditor: Auditor
    actor: str = DISPATCHER

    def remove(self, tenant_id: str) -> None:
        """Delete a tenant's dataset with all that is in it, and write down that it is gone."""
        datasets = Datasets(central=self.central)
        entry = self.auditor.begin("delete_dataset", self.actor, tenant_id=tenant_id)
        dataset = datasets.find(tenant_id)
        if dataset and (LABELS | {"tenant": tenant_id}).items() <= dataset.labels.items():
            datasets.delete(tenant_id, with_contents=True)
        self.auditor.end(entry, Outcome.DONE)
