"""The tenant API of pipelines: configs and runs."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from common import wiring
from common.http.endpoints.pipelines import PIPELINE_ROUTES
from common.http.server import answer, problem_details


@functions_framework.http
@problem_details
def pipelines(request: Request) -> Response:
    """Answer a tenant's request about its pipeline configs and runs."""
    return answer(request, PIPELINE_ROUTES, services=wiring.pipeline_services, system=wiring.system_edge)
