"""What happens by itself, each minute: called by Cloud Scheduler with its identity token."""

from dataclasses import asdict

import flask
import functions_framework

from common import wiring
from common.http.server import problem_details


@functions_framework.http
@problem_details
def dispatcher(_: flask.Request) -> flask.Response:
    """Do one minute's work and say what it came to; a second call in the same minute does no harm."""
    return flask.jsonify(asdict(wiring.dispatcher().tick()))
