"""The tenant API of pipelines: configs and runs."""

import flask
import functions_framework

from common import wiring
from common.http.answering import answer
from common.http.framework import problem_details
from common.http.pipelines import PIPELINE_ROUTES


@functions_framework.http
@problem_details
def pipelines(request: flask.Request) -> flask.typing.ResponseReturnValue:
    """Answer a tenant's request about its pipeline configs and runs."""
    return answer(request, PIPELINE_ROUTES, services=wiring.pipeline_services())
