"""A subscription that is over: nothing runs on it, with the reason, and what there is can be looked at."""

from datetime import date, timedelta
from typing import Any

import pytest

from common.tenants.tenant import SubscriptionStatus
from common.times import utc_now
from tests.functional.site import Site, Tenant, a_pipeline_file


@pytest.fixture
def subscriber(shared_tenant: Tenant) -> Tenant:
    """Return the tenant of all tests here, on a subscription that is in force."""
    shared_tenant.subscribe(status=SubscriptionStatus.ACTIVE, trial_end_date=None)
    return shared_tenant


def runs_of(tenant: Tenant, config_id: str) -> list[dict[str, Any]]:
    answer = tenant.call("GET", f"/api/v1/pipelines/history?pipeline_id={config_id}").get_json()
    return list(answer["runs"])


OVER: dict[str, dict[str, Any]] = {
    "the tenant's subscription is EXPIRED": {"status": SubscriptionStatus.EXPIRED},
    "the tenant's trial ended with 2026-01-01": {
        "status": SubscriptionStatus.TRIAL,
        "trial_end_date": date(2026, 1, 1),
    },
}
"""By what is told of it: how a subscription is over."""


def test_nothing_runs_on_a_subscription_that_is_over(site: Site, subscriber: Tenant) -> None:
    tenant, run = subscriber, "/api/v1/pipelines/run/stopped"
    tenant.upload("stopped", a_pipeline_file({"stopped": "SELECT 1 AS n"}))
    span = {"start": "2026-01-01", "end": "2026-01-02", "dry_run": True}
    for reason, changes in OVER.items():
        tenant.subscribe(**changes)
        refused = tenant.call("POST", run, {})
        assert (refused.status_code, refused.get_json()["detail"][: len(reason)]) == (403, reason)
        backfill = tenant.call("POST", "/api/v1/pipelines/backfill/stopped", span)
        assert backfill.status_code == 403, reason
    assert runs_of(tenant, "stopped") == []
    assert tenant.own("GET", "/api/v1/tenants/quota").status_code == 200
    path = f"/admin/tenants/{tenant.tenant_id}"
    assert site.admin("PATCH", path, {"subscription_plan": "STARTER"}).status_code == 200
    assert tenant.call("POST", run, {}).status_code == 202


def test_a_trial_goes_on_through_its_last_day(subscriber: Tenant) -> None:
    tenant = subscriber
    tenant.upload("on_trial", a_pipeline_file({"on_trial": "SELECT 1 AS n"}))
    today = utc_now().date()
    tenant.subscribe(status=SubscriptionStatus.TRIAL, trial_end_date=today + timedelta(days=1))
    assert tenant.call("POST", "/api/v1/pipelines/run/on_trial", {}).status_code == 202


def test_a_trial_that_is_over_fires_no_schedule(site: Site, subscriber: Tenant) -> None:
    tenant = subscriber
    text = a_pipeline_file({"minutely": "SELECT 1 AS n"})
    scheduled = text.replace('"steps"', '"schedule": {"cron": "* * * * *"}, "steps"', 1)
    assert tenant.upload("minutely", scheduled).status_code == 201
    tenant.subscribe(status=SubscriptionStatus.TRIAL, trial_end_date=date(2026, 1, 1))
    site.tick()
    assert runs_of(tenant, "minutely") == []
    tenant.subscribe(status=SubscriptionStatus.ACTIVE, trial_end_date=None)
    site.tick()
    assert len(runs_of(tenant, "minutely")) == 1
    tenant.call("POST", "/api/v1/pipelines/schedules/minutely/pause")
