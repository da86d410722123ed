"""Tenants' views, brought up to date with the platform (`common.setup.bootstrap.TenantViews`)."""

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import monotonic

from common.errors import WarehouseError
from common.logs import carried
from common.setup.bootstrap import Refreshed
from common.setup.views import ViewDefinition
from common.warehouse.datasets import Datasets
from common.warehouse.queries import Central
from common.warehouse.setup import LABELS
from common.warehouse.views import Views

logger = logging.getLogger(__name__)

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
