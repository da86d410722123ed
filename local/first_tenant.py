"""A first tenant, made as soon as the platform is up: `TENANT=acme make run`."""

from dataclasses import dataclass
from http import HTTPStatus

from common.client import Api, ApiError, Client, Key, Operator, Problem

TIMEOUT_SECONDS = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstTenant:
    """Sets a platform up, and onboards a tenant on it."""

    url: str
    admin_key: str

    def make(self, tenant_id: str) -> str:
        """Return the new tenant's API key, "" where it is there already; OSError where it cannot be made."""
        api = Api(url=self.url, key=Key.operator(self.admin_key), timeout_seconds=TIMEOUT_SECONDS)
        request = {
            "tenant_id": tenant_id,
            "company_name": tenant_id,
            "admin_email": f"admin@{tenant_id.replace('_', '-')}.example",
            "subscription_plan": "PROFESSIONAL",
        }
        try:
            Operator(api).bootstrap()
            return Client(api).tenant.onboard(request)["api_key"]
        except Problem as problem:
            if problem.status == HTTPStatus.CONFLICT and problem.call.endswith("/onboard"):
                return ""
            told = "; ".join(str(rule) for rule in problem.errors) or problem.detail or problem.title
            raise OSError(f"TENANT cannot be made: {told}") from problem
        except ApiError as error:
            raise OSError(f"TENANT cannot be made: {error}") from error
