"""Suspended and offboarded tenants on the real functions and tables."""

from datetime import timedelta

import pytest

from common.wiring import ADAPTERS, SERVICES
from tests.functional.site import Site, Tenant, a_pipeline_file

FILE = a_pipeline_file({"first": "SELECT 1 AS n"})


def make_tables(tenant: Tenant) -> None:
    """Make tables as runs would."""
    for table in ("first", "second"):
        tenant.site.rows(f"CREATE TABLE {tenant.tenant_id}.{table} AS SELECT 1 AS n")


def test_a_suspended_tenants_work_is_cancelled_and_a_reactivated_one_goes_on(
    site: Site, tenant: Tenant
) -> None:
    tenant.subscribe(concurrent_limit=1)
    assert tenant.upload("daily", FILE).status_code == 201
    begun, waiting = (tenant.run("daily", {"queue": True}) for _ in range(2))
    assert tenant.status(waiting)["status"] == "QUEUED"
    path = f"/admin/tenants/{tenant.tenant_id}"
    assert site.admin("PATCH", path, {"status": "SUSPENDED"}).status_code == 200
    assert tenant.call("POST", "/api/v1/pipelines/run/daily", {}).status_code == 403
    assert site.tick()["closed"] == 2
    site.drain()
    assert site.tick()["closed"] == 0
    assert site.admin("PATCH", path, {"status": "ACTIVE"}).status_code == 200
    assert {tenant.status(each)["status"] for each in (begun, waiting)} == {"CANCELLED"}
    again = tenant.run("daily")
    site.drain()
    assert tenant.status(again)["status"] == "COMPLETED"


def test_an_offboarded_tenants_data_goes_at_once_where_that_is_asked_for(site: Site, tenant: Tenant) -> None:
    make_tables(tenant)
    path = f"/admin/tenants/{tenant.tenant_id}?data=delete"
    manifest = site.admin("DELETE", path).get_json()
    assert [table["name"] for table in manifest["tables"]] == ["first", "second", "tenant_comprehensive_view"]
    assert ADAPTERS.tenant_datasets.find(tenant.tenant_id) is None
    entries = site.admin("GET", f"/admin/audit?tenant_id={tenant.tenant_id}").get_json()["entries"]
    deleted = [entry for entry in entries if entry["action"] == "delete_dataset"]
    assert {entry["actor"] for entry in deleted} == {"admin"}
    assert site.admin("DELETE", path).status_code == 200


def test_an_offboarded_tenants_data_goes_after_the_grace_and_its_rows_stay(
    site: Site, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tenant.upload("daily", FILE).status_code == 201
    make_tables(tenant)
    manifest = site.admin("DELETE", f"/admin/tenants/{tenant.tenant_id}").get_json()
    assert [table["name"] for table in manifest["tables"]] == ["first", "second", "tenant_comprehensive_view"]
    assert tenant.call("POST", "/api/v1/pipelines/run/daily", {}).status_code in {401, 403}
    assert ADAPTERS.tenant_datasets.find(tenant.tenant_id)
    SERVICES.offboarding_cleanup.close()
    assert ADAPTERS.tenant_datasets.find(tenant.tenant_id), "the grace is not over"
    offboarding_cleanup = type(SERVICES.offboarding_cleanup)(
        reader=SERVICES.offboarding_cleanup.reader,
        canceller=SERVICES.canceller,
        remover=SERVICES.offboarding_cleanup.remover,
        clock=SERVICES.offboarding_cleanup.clock,
        grace=timedelta(0),
    )
    assert offboarding_cleanup.close() >= 1  # Other tests' tenants may be among them.
    assert offboarding_cleanup.close() == 0
    assert ADAPTERS.tenant_datasets.find(tenant.tenant_id) is None
    (row,) = site.rows(
        f"SELECT status FROM tenants.current_tenant_profiles WHERE tenant_id = '{tenant.tenant_id}'"
    )
    assert row["status"] == "DELETED"
    entries = site.admin("GET", f"/admin/audit?tenant_id={tenant.tenant_id}").get_json()["entries"]
    assert (entries[0]["action"], entries[0]["actor"]) == ("delete_dataset", "dispatcher")
