"""The body of the quota answer."""

from collections.abc import Iterable
from typing import Any

from common.runs.quotas import Quota


def quota_body(tenant_id: str, plan_name: str, quotas: Iterable[Quota]) -> dict[str, Any]:
    """Describe the three limits of a tenant's plan and the use of them."""
    return {"tenant_id": tenant_id, "plan_name": plan_name} | {quota.name: _use(quota) for quota in quotas}


def _use(quota: Quota) -> dict[str, Any]:
    return {
        "used": quota.used,
        "limit": quota.limit,
        "remaining": max(0, quota.limit - quota.used),
        "percent": quota.percent,
        "resets_at": quota.resets_at,
    }
