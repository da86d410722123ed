"""Tenants' views follow the platform's text: those that are there, and no others."""

from dataclasses import replace

import pytest

from common.setup.bootstrap import Refreshed
from common.setup.views import TENANT_VIEW, ViewDefinition, tenant_view
from common.warehouse.bigquery import Central
from common.warehouse.datasets import Datasets
from common.warehouse.tenant_datasets import DatasetsOfTenants, ViewsOfTenants

CHANGED = replace(tenant_view(), text=f"{tenant_view().text}\n-- Changed.\n")
CHANGED_AGAIN = replace(tenant_view(), text=f"{tenant_view().text}\n-- Changed again.\n")
BROKEN = replace(tenant_view(), text="CREATE OR REPLACE VIEW nonsense")
OTHERS = "others"


@pytest.fixture(scope="module")
def tenants(bootstrapped: Central) -> Central:
    """Make two tenants with their views, one that is half-made, and a dataset of somebody else's."""
    made, datasets = DatasetsOfTenants(central=bootstrapped), Datasets(central=bootstrapped)
    for tenant_id in ("acme", "umbra", "half"):
        made.create(tenant_id, owner="onboarding-1")
    for tenant_id in ("acme", "umbra"):
        made.put_view(tenant_id)
    datasets.create(OTHERS, labels={}, description="")
    made.put_view(OTHERS)
    return bootstrapped


def texts(central: Central) -> dict[str, str]:
    """Return the fingerprint of the text that each dataset's view was made of."""
    datasets = Datasets(central=central)
    return {
        name: central.client.get_table(f"{central.project}.{name}.{TENANT_VIEW}").labels["definition"]
        for name in ("acme", "umbra", "half", OTHERS)
        if TENANT_VIEW in datasets.contents(name)
    }


def refreshed(central: Central, view: ViewDefinition, budget_seconds: float = 60) -> Refreshed:
    return ViewsOfTenants(central=central, budget_seconds=budget_seconds).refresh(view)


def test_views_of_a_changed_text_are_replaced_once_and_no_others_are_made(tenants: Central) -> None:
    old, new = tenant_view().fingerprint, CHANGED.fingerprint
    assert refreshed(tenants, tenant_view()) == Refreshed()
    assert refreshed(tenants, CHANGED) == Refreshed(updated=2)
    assert texts(tenants) == {"acme": new, "umbra": new, OTHERS: old}
    assert refreshed(tenants, CHANGED) == Refreshed()


def test_views_that_there_is_no_time_for_are_left(tenants: Central) -> None:
    before = texts(tenants)
    assert refreshed(tenants, CHANGED_AGAIN, budget_seconds=0) == Refreshed(left=3)
    assert texts(tenants) == before


def test_a_view_that_fails_is_left_as_it_is(tenants: Central) -> None:
    before = texts(tenants)
    assert refreshed(tenants, BROKEN) == Refreshed(left=2)
    assert texts(tenants) == before
