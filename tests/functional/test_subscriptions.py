"""A subscription that is over: nothing runs on it, with the reason, and what there is can be looked at."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from common.tenants.tenant import SubscriptionStatus
from common.times import utc_now
from common.wiring import ADAPTERS
from tests.functional.site import Site, Tenant, a_pipeline_file


def change(tenant: Tenant, **changes: Any) -> None:
    """Append a state of the tenant's subscription, as its operator does by hand."""
    records = ADAPTERS.tenant_records
    found = records.find_subscription(tenant.tenant_id)
    assert found is not None
    records.append_subscription(replace(found, **changes), recorded_at=utc_now())


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"status": SubscriptionStatus.EXPIRED}, "the tenant's subscription is EXPIRED"),
        (
            {"status": SubscriptionStatus.TRIAL, "trial_end_date": date(2026, 1, 1)},
            "the tenant's trial ended with 2026-01-01",
        ),
    ],
)
def test_nothing_runs_on_a_subscription_that_is_over(
    site: Site, tenant: Tenant, changes: dict[str, Any], reason: str
) -> None:
    tenant.upload("daily", a_pipeline_file({"sales": "SELECT 1 AS n"}))
    change(tenant, **changes)
    refused = tenant.call("POST", "/api/v1/pipelines/run/daily", {})
    assert refused.status_code == 403
    assert refused.get_json()["detail"].startswith(reason)
    span = {"start": "2026-01-01", "end": "2026-01-02", "dry_run": True}
    assert tenant.call("POST", "/api/v1/pipelines/backfill/daily", span).status_code == 403
    assert tenant.call("GET", "/api/v1/pipelines/history").get_json()["runs"] == []
    assert tenant.own("GET", "/api/v1/tenants/quota").status_code == 200
    path = f"/admin/tenants/{tenant.tenant_id}"
    assert site.admin("PATCH", path, {"subscription_plan": "STARTER"}).status_code == 200
    assert tenant.call("POST", "/api/v1/pipelines/run/daily", {}).status_code == 202


def test_a_trial_goes_on_through_its_last_day(tenant: Tenant) -> None:
    tenant.upload("daily", a_pipeline_file({"sales": "SELECT 1 AS n"}))
    today = utc_now().date()
    change(tenant, status=SubscriptionStatus.TRIAL, trial_end_date=today + timedelta(days=1))
    assert tenant.call("POST", "/api/v1/pipelines/run/daily", {}).status_code == 202


def test_a_trial_that_is_over_fires_no_schedule(site: Site, tenant: Tenant) -> None:
    text = a_pipeline_file({"sales": "SELECT 1 AS n"})
    scheduled = text.replace('"steps"', '"schedule": {"cron": "* * * * *"}, "steps"', 1)
    assert tenant.upload("daily", scheduled).status_code == 201
    change(tenant, status=SubscriptionStatus.TRIAL, trial_end_date=date(2026, 1, 1))
    site.tick()
    assert tenant.call("GET", "/api/v1/pipelines/history").get_json()["runs"] == []
    change(tenant, status=SubscriptionStatus.ACTIVE, trial_end_date=None)
    site.tick()
    assert len(tenant.call("GET", "/api/v1/pipelines/history").get_json()["runs"]) == 1
