"""A first tenant, made as soon as the platform is up: `TENANT=acme make run`."""

from dataclasses import dataclass
from http import HTTPStatus

import requests

TIMEOUT_SECONDS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstTenant:
    """Sets a platform up, and onboards a tenant on it."""

    url: str
    admin_key: str

    def make(self, tenant_id: str) -> str:
        """Return the new tenant's API key, "" where it is there already; OSError where it cannot be made."""
        self._post("/admin/bootstrap", {}, {"X-Admin-Key": self.admin_key})
        request = {
            "tenant_id": tenant_id,
            "company_name": tenant_id,
            "admin_email": f"admin@{tenant_id.replace('_', '-')}.example",
            "subscription_plan": "PROFESSIONAL",
        }
        answer = self._post("/api/v1/tenants/onboard", request, {}, also=HTTPStatus.CONFLICT)
        return str(answer.json()["api_key"]) if answer.status_code != HTTPStatus.CONFLICT else ""

    def _post(
        self, path: str, body: dict[str, str], headers: dict[str, str], also: int = HTTPStatus.OK
    ) -> requests.Response:
        answer = requests.post(f"{self.url}{path}", json=body, headers=headers, timeout=TIMEOUT_SECONDS)
        if answer.ok or answer.status_code == also:
            return answer
        faults = [f"{fault['pointer']}: {fault['rule']}" for fault in answer.json().get("errors", [])]
        told = "; ".join(faults) or answer.json().get("detail") or answer.json()["title"]
        raise OSError(f"TENANT cannot be made: {told}")
