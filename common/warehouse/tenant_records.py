"""Changes of tenants as rows (`common.tenants.changes.TenantRecords`)."""

from dataclasses import asdict
from datetime import datetime, timedelta

from common.tenants.tenant import Profile, Subscription
from common.warehouse.replacing import replace_row
from common.warehouse.tenants import TenantRows


class TenantRecordRows(TenantRows):
    """Appends what has changed of a tenant."""

    def replace_profile(self, old: Profile, new: Profile, *, recorded_at: datetime) -> bool:
        """Append a profile in the place of another; False where somebody else has replaced that one."""
        replaced_at = old.recorded_at or old.created_at
        recorded_at = max(recorded_at, replaced_at + timedelta(microseconds=1))
        values = asdict(new) | {"sources": list(new.sources), "recorded_at": recorded_at}
        replaced = f"cvg-profile-{old.tenant_id}-{replaced_at:%Y%m%d%H%M%S%f}"
        return replace_row(self.queries, "tenants/append_profile", replaced, old.tenant_id, values)

    def append_subscription(self, subscription: Subscription, *, recorded_at: datetime) -> None:
        """Append a subscription's state; it can be read at once."""
        job_id = f"cvg-subscription-{subscription.tenant_id}-{recorded_at:%Y%m%d%H%M%S%f}"
        values = asdict(subscription) | {"recorded_at": recorded_at}
        self._write_once("tenants/append_subscription", job_id, subscription.tenant_id, values)
