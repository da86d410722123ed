"""Health and document of a function that has nothing to stand on: each in a process without credentials."""

import json
import subprocess
import sys
from functools import cache
from typing import Any

import pytest

from tests.e2e.platforms import ROOT

PROGRAM = """
import json, sys
from functions_framework import create_app
from werkzeug.test import Client

name, *paths = sys.argv[1:]
client = Client(create_app(target=name, source=f"functions/{name}/main.py"))
sys.stdout = sys.stderr  # Log lines are no part of what is asked for.
told = {}
for path in paths:
    answer = client.get(path)
    clients = [each for each in ("google.cloud.bigquery", "google.cloud.pubsub_v1") if each in sys.modules]
    told[path] = answer.status_code, answer.get_json(), clients
sys.__stdout__.write(json.dumps(told))
"""
PATHS = ("/openapi.json", "/pipeline.schema.json", "/health")
"""In this order: whether it is ready, a function asks its clients."""
NOTHING = {
    "GCP_PROJECT_ID": "nowhere",
    "NO_GCE_CHECK": "true",
    "CLOUDSDK_CONFIG": "/nowhere",
    "HOME": "/nowhere",
}


@cache
def told_by(function: str) -> dict[str, Any]:
    """Ask a new instance: by path its status, its answer, and which clients it has loaded by then."""
    command = [sys.executable, "-c", PROGRAM, function, *PATHS]
    done = subprocess.run(command, cwd=ROOT, env=NOTHING, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.mark.parametrize("function", ["admin", "onboarding", "pipelines"])
def test_the_document_needs_no_client(function: str) -> None:
    status, document, clients = told_by(function)["/openapi.json"]
    assert (status, document["openapi"], clients) == (200, "3.1.0", [])


@pytest.mark.parametrize("function", ["admin", "onboarding", "pipelines"])
def test_the_schema_of_pipeline_files_needs_no_client(function: str) -> None:
    status, document, clients = told_by(function)["/pipeline.schema.json"]
    assert (status, document["title"], clients) == (200, "Pipeline file", [])


@pytest.mark.parametrize("function", ["admin", "onboarding", "pipelines"])
def test_a_function_without_credentials_is_not_ready_and_fails_no_worse(function: str) -> None:
    status, problem, _ = told_by(function)["/health"]
    assert (status, problem["status"]) == (503, 503)
