"""From an error to its problem answer, and to a line in the log where the fault is not the caller's."""

import logging
from urllib.parse import quote

from werkzeug.wrappers import Request, Response

from common.http.problems import problem_of
from common.http.responses import json_response
from common.http.routes import Access

logger = logging.getLogger(__name__)

PROBLEM_TYPE = "application/problem+json"


def refuse(request: Request, error: Exception, request_id: str, access: Access = Access.PUBLIC) -> Response:
    """Answer with the problem that an error is; log it with its stack where it is ours."""
    problem = problem_of(error, access)
    if problem.kind.status >= 500:
        level = logging.ERROR if problem.kind.status == 500 else logging.WARNING
        logger.log(level, "request failed", exc_info=error, extra={"problem": problem.kind.name})
    body = problem.body(quote(request.path), request_id)
    return json_response(body, problem.kind.status, problem.headers, PROBLEM_TYPE)
