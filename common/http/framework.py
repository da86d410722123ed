"""What functions_framework and Flask would answer by themselves, in HTML, before or instead of the edge."""

from collections.abc import Callable
from functools import wraps

import flask
from werkzeug import exceptions as http
from werkzeug.wrappers import Response

from common.errors import InputTooLarge, NotFound
from common.http.refusing import refuse
from common.http.requests import request_id_of
from common.http.responses import add_standard_headers

type Handler = Callable[[flask.Request], Response]


def problem_details(function: Handler) -> Handler:
    """Make a function answer in problems even where it fails before it gets to `answer`: in its wiring.

    The framework keeps some requests from the function (/robots.txt, a line break in the path); loaded by the
    framework, the app that it makes answers those in problems too.
    """
    if flask.has_app_context():
        flask.current_app.register_error_handler(http.HTTPException, _outside)

    @wraps(function)
    def answered(request: flask.Request) -> Response:
        try:
            return function(request)
        except Exception as error:  # noqa: BLE001 - the last line of defence, as in `answer`
            return _refused(request, error)

    return answered


def _outside(error: http.HTTPException) -> Response:
    return _refused(flask.request, _translated(error))


def _refused(request: flask.Request, error: Exception) -> Response:
    request_id = request_id_of(request)
    response = refuse(request, error, request_id)
    add_standard_headers(response, request, request_id)
    return response


def _translated(error: http.HTTPException) -> Exception:
    match error:
        case http.NotFound():
            return NotFound("there is nothing at this path")
        case http.RequestEntityTooLarge():
            return InputTooLarge("the body is longer than any route takes")
        case _:
            return error
