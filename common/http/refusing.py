"""From an error to its problem answer, and to a line in the log where the fault is not the caller's."""

import logging
from urllib.parse import quote

from werkzeug.wrappers import Request, Response

from common.http.problems import Problem, problem_of
from common.http.responses import json_response
from common.http.routes import Access

logger = logging.getLogger(__name__)

PROBLEM_TYPE = "application/problem+json"


def refuse(request: Request, error: Exception, request_id: str, access: Access = Access.PUBLIC) -> Response:
    """Answer with the problem that an error is, and log it where nobody else does."""
    problem = problem_of(error, access)
    if problem.kind.status >= 500:
        logger.log(
            level_of(problem), "request failed", extra=told_of(problem, error), exc_info=stack_of(error)
        )
    return refusal(request, problem, request_id)


def refusal(request: Request, problem: Problem, request_id: str) -> Response:
    """Answer with a problem."""
    body = problem.body(quote(request.path), request_id)
    return json_response(body, problem.kind.status, problem.headers, PROBLEM_TYPE)


def level_of(problem: Problem) -> int:
    """Tell how a problem is logged: what is no fault of the caller's is heard of, and what is ours loudly."""
    if problem.kind.status < 500:
        return logging.INFO
    return logging.ERROR if problem.kind.status == 500 else logging.WARNING


def told_of(problem: Problem, error: Exception) -> dict[str, str]:
    """Tell in the log which problem it was; and in the error's own words where it is ours."""
    return {"problem": problem.kind.name} | ({"error": str(error)} if problem.kind.status >= 500 else {})


def stack_of(error: Exception) -> Exception | None:
    """Return an error whose stack helps: one that nobody has foreseen."""
    return error if problem_of(error).kind.status == 500 else None
