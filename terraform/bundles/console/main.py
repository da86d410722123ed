"""The console: pages for tenants and operators, over the public API."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from common import wiring


@functions_framework.http
def console(request: Request) -> Response:
    """Answer a browser's request."""
    return wiring.console().answer(request)
