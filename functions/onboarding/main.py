"""The tenant API of tenants themselves: onboarding and quotas."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from common import wiring
from common.http.endpoints.tenants import TENANT_ROUTES
from common.http.server import answer, problem_details


@functions_framework.http
@problem_details
def onboarding(request: Request) -> Response:
    """Answer callers that want to become tenants, and tenants about themselves."""
    return answer(request, TENANT_ROUTES, services=wiring.tenant_services, system=wiring.system_edge)
