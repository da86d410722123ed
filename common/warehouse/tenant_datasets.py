"""Datasets of tenants (`common.tenants.ports.TenantDatasets`), each with its view over the central tables."""

import logging
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from time import monotonic

from common.errors import NoSuchResource, WarehouseError
from common.logs import carried
from common.setup.bootstrap import Refreshed
from common.setup.views import TENANT_VIEW, ViewDefinition, tenant_view
from common.tenants.executors import ExecutorAccounts
from common.tenants.ports import TenantDataset
from common.warehouse.access import AccessLists, AuthorizedViews, Executors, Fillers
from common.warehouse.bigquery import Central
from common.warehouse.datasets import Datasets
from common.warehouse.setup import LABELS
from common.warehouse.views import Views

logger = logging.getLogger(__name__)

_DESCRIPTION = "Tables of one tenant, and tenant_comprehensive_view: all that the platform knows of it."


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetsOfTenants:
    """A dataset carries as labels whose it is and which onboarding made it."""

    central: Central
    accounts: ExecutorAccounts = field(default_factory=ExecutorAccounts)
    filling_role: str = ""
    """The role of credentials' accounts, by its full name."""

    def create(self, tenant_id: str, owner: str) -> None:
        """Create the dataset; AlreadyExists where the name is taken: this is the lock of an onboarding."""
        labels = LABELS | {"tenant": tenant_id, "onboarding": owner}
        self._datasets.create(tenant_id, labels=labels, description=_DESCRIPTION)

    def find(self, tenant_id: str) -> TenantDataset | None:
        """Return the dataset of that name, None where there is none."""
        dataset = self._datasets.find(tenant_id)
        if dataset is None:
            return None
        is_ours = (LABELS | {"tenant": tenant_id}).items() <= dataset.labels.items()
        owner = dataset.labels.get("onboarding", "") if is_ours else ""
        return TenantDataset(tenant_id=tenant_id, owner=owner, created_at=dataset.created)

    def names(self) -> list[str]:
        """List all datasets of the project, tenants' and others."""
        return list(self._datasets.labelled({}))

    def names_of(self, tenant_id: str) -> list[str]:
        """List the datasets that are marked as this tenant's."""
        return list(self._datasets.labelled(LABELS | {"tenant": tenant_id}))

    def contents(self, tenant_id: str) -> frozenset[str]:
        """List the tables and views in the dataset; none where it is gone."""
        try:
            return frozenset(self._datasets.contents(tenant_id))
        except NoSuchResource:
            return frozenset()

    def put_view(self, tenant_id: str) -> None:
        """Create the tenant's view, or bring it up to date."""
        self._views.put(tenant_view(), dataset=tenant_id, tenant_id=tenant_id)

    def authorize_view(self, tenant_id: str) -> None:
        """Let the view read the central dataset; nothing happens where it may already."""
        AuthorizedViews(lists=self._lists).authorize(tenant_id, TENANT_VIEW)

    def revoke_view(self, tenant_id: str) -> None:
        """Take that back; nothing happens where the view may not."""
        AuthorizedViews(lists=self._lists).revoke(tenant_id, TENANT_VIEW)

    def admit_executor(self, tenant_id: str, *, is_isolated: bool = False) -> None:
        """Let the account that runs the tenant's SQL write the dataset, and no other account of ours."""
        if account := self.accounts.account_of(tenant_id, is_isolated=is_isolated):
            others = self.accounts.all_for(tenant_id)
            Executors(lists=self._lists).admit(tenant_id, account, others)

    def admit_accounts(self, tenant_id: str, accounts: Callable[[], Collection[str]]) -> None:
        """Let these accounts read and fill the tenant's tables, and no others of their kind."""
        try:
            Fillers(lists=self._lists, role=self.filling_role).admit(tenant_id, accounts)
        except NoSuchResource:
            return

    def remove(self, tenant_id: str) -> None:
        """Delete the view, then the dataset, which must be empty then; nothing happens where it is gone."""
        self._views.delete(TENANT_VIEW, dataset=tenant_id)
        self._datasets.delete(tenant_id)

    @property
    def _datasets(self) -> Datasets:
        return Datasets(central=self.central)

    @property
    def _lists(self) -> AccessLists:
        return AccessLists(datasets=self._datasets)

    @property
    def _views(self) -> Views:
        return Views(central=self.central)


_AT_ONCE = 16
# A bootstrap answers well inside its function's time; what is left is the next one's.
BUDGET_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewsOfTenants:
    """Looks at the view in each tenant's dataset, which bills nothing, and replaces those of another text."""

    central: Central
    budget_seconds: float = BUDGET_SECONDS

    def refresh(self, view: ViewDefinition) -> Refreshed:
        """Replace the views of another text, as many as there is time for; none is made where none is."""
        deadline = monotonic() + self.budget_seconds

        def brought_up(tenant_id: str) -> bool | None:
            return self._brought_up(view, tenant_id) if monotonic() < deadline else None

        with ThreadPoolExecutor(_AT_ONCE) as threads:
            outcomes = list(threads.map(carried(brought_up), self._tenants()))
        return Refreshed(updated=outcomes.count(True), left=outcomes.count(None))

    def _tenants(self) -> Iterator[str]:
        for name, labels in Datasets(central=self.central).labelled(LABELS).items():
            if labels.get("tenant") == name:
                yield name

    def _brought_up(self, view: ViewDefinition, tenant_id: str) -> bool | None:
        """Tell whether a view was replaced; None where that failed, which keeps no other from it."""
        views = Views(central=self.central)
        try:
            if not views.is_outdated(view, dataset=tenant_id):
                return False
            views.put(view, dataset=tenant_id, tenant_id=tenant_id)
        except WarehouseError:
            logger.exception("view of a tenant not brought up to date", extra={"tenant": tenant_id})
            return None
        logger.info("view of a tenant brought up to date", extra={"tenant": tenant_id})
        return True
