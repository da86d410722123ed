"""Tenants' datasets and central rows in memory; `at` is called wherever a process can die or a call fail."""

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from common.claims import Claim
from common.errors import AlreadyExists, NoSuchResource, QueryRefused
from common.runs.quotas import Use
from common.setup.tables import central_tables
from common.setup.views import TENANT_VIEW
from common.tenants.administration import ListedTenant
from common.tenants.authentication import KnownKey
from common.tenants.keys import KeyRecord
from common.tenants.offboarding import KeptTable
from common.tenants.ports import CommitState, NewTenant, TenantDataset
from common.tenants.tenant import Profile, Subscription
from common.times import Clock
from tests.fakes.jobs import MemoryJobs, nowhere

ALL_TABLES = tuple(table.name for table in central_tables())


class MemoryCatalog:
    """`CentralCatalog`; None stands for a central dataset that is not there."""

    def __init__(self, tables: Sequence[str] | None = ALL_TABLES) -> None:
        self.tables = tables
        self.at: Callable[[str], None] = nowhere

    def table_names(self) -> Sequence[str]:
        self.at("table names")
        if self.tables is None:
            raise NoSuchResource("tenants")
        return self.tables


@dataclass(slots=True, kw_only=True)
class MemoryDataset:
    """A dataset, and the names of what is in it."""

    about: TenantDataset
    contents: set[str] = field(default_factory=set)


class MemoryDatasets:
    """`TenantDatasets`."""

    def __init__(self, clock: Clock, at: Callable[[str], None] = nowhere) -> None:
        self.clock = clock
        self.at = at
        self.datasets: dict[str, MemoryDataset] = {}
        self.authorized: set[str] = set()
        self.executors: dict[str, str] = {}
        self.fillers: dict[str, set[str]] = {}
        """The accounts of credentials that are let in."""
        self.unknown_accounts: set[str] = set()
        self._lock = threading.Lock()

    def create(self, tenant_id: str, owner: str) -> None:
        self.at("before create")
        with self._lock:
            if tenant_id in self.datasets:
                raise AlreadyExists(tenant_id)
            about = TenantDataset(tenant_id=tenant_id, owner=owner, created_at=self.clock())
            self.datasets[tenant_id] = MemoryDataset(about=about)
        self.at("after create")

    def find(self, tenant_id: str) -> TenantDataset | None:
        self.at("find dataset")
        found = self.datasets.get(tenant_id)
        return found.about if found else None

    def names(self) -> list[str]:
        self.at("names")
        return list(self.datasets)

    def names_of(self, tenant_id: str) -> list[str]:
        return [name for name, dataset in self.datasets.items() if name == tenant_id and dataset.about.owner]

    def contents(self, tenant_id: str) -> frozenset[str]:
        self.at("contents")
        return frozenset(self.datasets[tenant_id].contents)

    def put_view(self, tenant_id: str) -> None:
        self.at("before view")
        if tenant_id not in self.datasets:
            raise NoSuchResource(tenant_id)
        self.datasets[tenant_id].contents.add(TENANT_VIEW)
        self.at("after view")

    def authorize_view(self, tenant_id: str) -> None:
        self.at("before authorize")
        self.authorized.add(tenant_id)
        self.at("after authorize")

    def revoke_view(self, tenant_id: str) -> None:
        self.at("before revoke")
        self.authorized.discard(tenant_id)
        self.at("after revoke")

    def admit_executor(self, tenant_id: str, *, is_isolated: bool = False) -> None:
        self.at("before executor")
        self.executors[tenant_id] = "dedicated" if is_isolated else "shared"
        self.at("after executor")

    def admit_accounts(self, tenant_id: str, accounts: Callable[[], Collection[str]]) -> None:
        self.at("before accounts")
        wanted = set(accounts())
        if wanted & self.unknown_accounts:
            raise QueryRefused("IAM setPolicy failed", "invalid")
        self.fillers[tenant_id] = wanted
        self.at("after accounts")

    def remove(self, tenant_id: str) -> None:
        self.at("before remove")
        if tenant_id in self.datasets:
            self.datasets[tenant_id].contents.discard(TENANT_VIEW)
            if self.datasets[tenant_id].contents:
                raise QueryRefused("the dataset is still in use")
            del self.datasets[tenant_id]
        self.at("after remove")


@dataclass(slots=True)
class MemoryRemover:
    """`Remover`; remembers whose data it has deleted."""

    removed: list[str] = field(default_factory=list)

    def remove(self, tenant_id: str) -> None:
        self.removed.append(tenant_id)


class MemoryTenants:
    """`TenantStore`, `KeyStore` and `TenantDirectory`. Commits take the job IDs of `jobs`."""

    def __init__(self, jobs: MemoryJobs, at: Callable[[str], None] = nowhere) -> None:
        self.jobs = jobs
        self.at = at
        self.profiles: dict[str, Profile] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self.key_rows: list[KeyRecord] = []
        self.commits: dict[str, CommitState] = {}
        self.use: dict[str, Use] = {}
        self.refusal: Exception | None = None
        """What the next transactions fail with, their job IDs being used up."""

    def find_profile(self, tenant_id: str) -> Profile | None:
        self.at("find profile")
        return self.profiles.get(tenant_id)

    def commit(self, tenant: NewTenant, *, job_id: str, labels: Mapping[str, str]) -> None:
        self.at("before commit")
        self._take(job_id, labels)
        if self.refusal:
            self.commits[job_id] = CommitState.FAILED
            raise self.refusal
        self.at("in commit")
        self.commits[job_id] = CommitState.DONE
        assert tenant.profile.tenant_id not in self.profiles
        self.profiles[tenant.profile.tenant_id] = tenant.profile
        self.subscriptions[tenant.profile.tenant_id] = tenant.subscription
        self.key_rows.append(tenant.key)
        self.at("after commit")

    def commit_state(self, job_id: str) -> CommitState:
        self.at("commit state")
        return self.commits[job_id]

    def find_subscription(self, tenant_id: str) -> Subscription | None:
        return self.subscriptions.get(tenant_id)

    def find_key_record(self, api_key_hash: str) -> KeyRecord | None:
        return next((row for row in reversed(self.key_rows) if row.api_key_hash == api_key_hash), None)

    def find_key(self, api_key_hash: str) -> KnownKey | None:
        record = self.find_key_record(api_key_hash)
        if record is None:
            return None
        return KnownKey(record=record, tenant_status=self.profiles[record.tenant_id].status)

    def keys_of(self, tenant_id: str) -> list[KeyRecord]:
        latest = {row.api_key_hash: row for row in self.key_rows if row.tenant_id == tenant_id}
        return sorted(latest.values(), key=lambda row: row.created_at)

    def count_use(self, tenant_id: str, now: datetime) -> Use:
        return self.use.get(tenant_id, Use(today=0, month=0, running=0))

    def list_tenants(self, after: str, most: int) -> list[ListedTenant]:
        found = sorted(profile.tenant_id for profile in self.profiles.values() if profile.tenant_id > after)
        return [self._listed(self.profiles[tenant_id]) for tenant_id in found[:most]]

    def _listed(self, profile: Profile) -> ListedTenant:
        subscription = self.subscriptions.get(profile.tenant_id)
        return ListedTenant(
            tenant_id=profile.tenant_id,
            company_name=profile.company_name,
            status=profile.status,
            isolation=profile.isolation,
            created_at=profile.created_at,
            plan_name=subscription.plan_name if subscription else None,
        )

    def tables_of(self, tenant_id: str) -> list[KeptTable]:
        return [KeptTable(name="sales", type="TABLE", rows=3, bytes=24)]

    def append_key(self, record: KeyRecord, *, recorded_at: datetime) -> None:
        self.key_rows.append(record)

    def replace_profile(self, old: Profile, new: Profile, *, recorded_at: datetime) -> bool:
        if self.profiles[old.tenant_id] != old:
            return False
        self.profiles[old.tenant_id] = replace(new, recorded_at=recorded_at)
        return True

    def append_subscription(self, subscription: Subscription, *, recorded_at: datetime) -> None:
        self.subscriptions[subscription.tenant_id] = subscription

    def _take(self, job_id: str, labels: Mapping[str, str]) -> None:
        if job_id in self.jobs.claims:
            raise AlreadyExists(job_id)
        self.jobs.claims[job_id] = Claim(job_id=job_id, labels=dict(labels), claimed_at=self.jobs.clock())
        # Until it ends: a process that dies in between leaves a transaction that BigQuery rolls back.
        self.commits[job_id] = CommitState.FAILED
