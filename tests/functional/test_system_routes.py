"""Health and documents of functions that have nothing to stand on: in a process without credentials."""

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.e2e.platforms import ROOT

PROGRAM = """
import json, sys
from functions_framework import create_app
from werkzeug.test import Client

CLIENTS = "google.cloud.bigquery", "google.cloud.pubsub_v1"
names, paths = json.loads(sys.argv[1])
apps = {name: Client(create_app(target=name, source=f"functions/{name}/main.py")) for name in names}
sys.stdout = sys.stderr  # Log lines are no part of what is asked for.
told = {name: {} for name in names}
for path in paths:
    for name, app in apps.items():
        answer = app.get(path)
        clients = [each for each in CLIENTS if each in sys.modules]
        told[name][path] = answer.status_code, answer.get_json(), clients
sys.__stdout__.write(json.dumps(told))
"""
FUNCTIONS = ("admin", "onboarding", "pipelines")
PATHS = ("/openapi.json", "/pipeline.schema.json", "/health")
"""Each of all functions, in this order: whether it is ready, a function asks its clients."""
NOTHING = {
    "GCP_PROJECT_ID": "nowhere",
    "NO_GCE_CHECK": "true",
    "CLOUDSDK_CONFIG": "/nowhere",
    "HOME": "/nowhere",
}


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    """Ask new instances: by function and path its status, its answer, and all clients loaded by then."""
    command = [sys.executable, "-c", PROGRAM, json.dumps([FUNCTIONS, PATHS])]
    done = subprocess.run(command, cwd=ROOT, env=NOTHING, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answers: dict[str, Any] = json.loads(done.stdout)
    return answers


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_document_needs_no_client(told: dict[str, Any], function: str) -> None:
    status, document, clients = told[function]["/openapi.json"]
    assert (status, document["openapi"], clients) == (200, "3.1.0", [])


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_schema_of_pipeline_files_needs_no_client(told: dict[str, Any], function: str) -> None:
    status, document, clients = told[function]["/pipeline.schema.json"]
    assert (status, document["title"], clients) == (200, "Pipeline file", [])


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_without_credentials_is_not_ready_and_fails_no_worse(
    told: dict[str, Any], function: str
) -> None:
    status, problem, _ = told[function]["/health"]
    assert (status, problem["status"]) == (503, 503)
