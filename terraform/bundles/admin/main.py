"""The operators' API: bootstrap, tenants and their keys."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from common import wiring
from common.http.endpoints.admin import ADMIN_ROUTES
from common.http.server import answer, problem_details


@functions_framework.http
@problem_details
def admin(request: Request) -> Response:
    """Answer an operator's request."""
    return answer(request, ADMIN_ROUTES, services=wiring.admin_services, system=wiring.system_edge)
