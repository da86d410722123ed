"""Keys, suspension and the audit log on the real functions and tables."""

from common.times import from_rfc3339
from tests.functional.site import Site, Tenant

KEYS = "/api/v1/tenants/keys"


def test_keys_are_made_rotated_and_revoked_and_each_act_is_audited(site: Site, tenant: Tenant) -> None:
    made = tenant.own("POST", KEYS, {"scopes": ["read", "manage"], "expires_in_days": 1})
    assert made.status_code == 201, made.text
    second = Tenant(site, tenant.tenant_id, made.get_json()["api_key"])
    assert second.call("GET", "/api/v1/pipelines/configs").status_code == 200
    assert second.call("POST", "/api/v1/pipelines/run/none", {}).status_code == 403
    listed = second.own("GET", KEYS).get_json()["api_keys"]
    assert [key["key_prefix"] for key in listed] == [who.key[:-12] for who in (tenant, second)]
    assert all(key["last_used_at"] for key in listed)
    rotated = second.own("POST", f"{KEYS}/{listed[1]['api_key_id']}/rotate", {"overlap_hours": 1})
    assert rotated.status_code == 201, rotated.text
    ends = [key["expires_at"] for key in tenant.own("GET", KEYS).get_json()["api_keys"]]
    assert from_rfc3339(ends[1]) > from_rfc3339(made.get_json()["created_at"])
    assert tenant.own("DELETE", f"{KEYS}/{listed[1]['api_key_id']}").status_code == 200
    path = f"/admin/audit?tenant_id={tenant.tenant_id}"
    entries = site.admin("GET", path).get_json()["entries"]
    done = [(entry["action"], entry["outcome"]) for entry in entries if entry["action"] != "api_key_used"]
    assert sorted(done) == [
        ("create_key", "DONE"),
        ("onboard_tenant", "DONE"),
        ("revoke_key", "DONE"),
        ("rotate_key", "DONE"),
    ]
    secrets = [tenant.key, second.key, rotated.get_json()["api_key"]]
    assert not [secret for secret in secrets if secret in str(entries)]
