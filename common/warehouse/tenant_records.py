"""Changes of tenants as rows (`common.tenants.changes.TenantRecords`)."""

import uuid
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from itertools import count

from common.errors import AlreadyExists
from common.tenants.ports import CommitState
from common.tenants.tenant import Profile, Subscription
from common.warehouse.tenants import TenantRows


class TenantRecordRows(TenantRows):
    """Appends what has changed of a tenant."""

    def replace_profile(self, old: Profile, new: Profile, *, recorded_at: datetime) -> bool:
        """Append a profile in the place of another; False where somebody else has replaced that one.

        The job ID names the row that is replaced: of two changes that have read the same row one is made.
        """
        replaced_at = old.recorded_at or old.created_at
        recorded_at = max(recorded_at, replaced_at + timedelta(microseconds=1))
        labels = {"tenant": old.tenant_id, "change": uuid.uuid4().hex}
        values = asdict(new) | {"sources": list(new.sources), "recorded_at": recorded_at}
        for attempt in count(1):
            job_id = f"cvg-profile-{old.tenant_id}-{replaced_at:%Y%m%d%H%M%S%f}-{attempt}"
            try:
                self.queries.write("tenants/append_profile", job_id=job_id, labels=labels, **values)
            except AlreadyExists:
                # A client repeats an insert whose answer got lost; a job that failed has replaced nothing.
                if self.commit_state(job_id) is CommitState.FAILED:
                    continue
                holder: Mapping[str, str] = self._job(job_id).labels
                return labels.items() <= holder.items()
            return True
        raise AssertionError("count() ends never")

    def append_subscription(self, subscription: Subscription, *, recorded_at: datetime) -> None:
        """Append a subscription's state; it can be read at once."""
        job_id = f"cvg-subscription-{subscription.tenant_id}-{recorded_at:%Y%m%d%H%M%S%f}"
        values = asdict(subscription) | {"recorded_at": recorded_at}
        self._write_once("tenants/append_subscription", job_id, subscription.tenant_id, values)
