"""A platform on which nothing has been done yet: what it answers, and what it writes."""

import itertools
import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from local.demo.stage import free_port
from tests.e2e.platforms import (
    ADMIN_KEY,
    ROOT,
    RUN,
    START_SECONDS,
    RunningPlatform,
    running_platform,
    started,
)
from tests.e2e.tenants import Answer, ask

A_LINE = re.compile(r"\d\d:\d\d:\d\d\.\d{3} (INFO|WARNING) +[a-z ]+( [a-z_]+=.*)?")
TENANT = {
    "tenant_id": "acme",
    "company_name": "Acme",
    "admin_email": "a@acme.example",
    "subscription_plan": "STARTER",
}


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    with running_platform(tmp_path_factory.mktemp("untouched") / "platform.log") as running:
        yield running


def test_before_bootstrap_each_request_is_told_what_is_missing_in_one_line_of_the_log(
    untouched: RunningPlatform,
) -> None:
    before = len(untouched.printed)
    answers = [
        ask(untouched.url, "POST", "/api/v1/tenants/onboard", TENANT),
        ask(untouched.url, "GET", "/api/v1/pipelines/history", X_API_Key="acme_api_1234567812345678"),
        ask(untouched.url, "GET", "/admin/tenants", X_Admin_Key=ADMIN_KEY),
        ask(untouched.url, "GET", "/admin/overview", X_Admin_Key=ADMIN_KEY),
        _minute(untouched),
    ]
    assert [(answer.status, answer.body["title"]) for answer in answers] == [(503, "Not set up")] * 5
    assert all("POST /admin/bootstrap" in answer.body["detail"] for answer in answers)
    lines = untouched.printed[before:].strip().splitlines()
    assert all(A_LINE.fullmatch(line) for line in lines), lines
    assert sum("request answered" in line for line in lines) == len(answers) - 1
    assert sum("request failed" in line for line in lines) >= 1  # the dispatcher's


def _minute(platform: RunningPlatform) -> Answer:
    answer = requests.post(f"{platform.url}/_functions/dispatcher/", timeout=60)
    return Answer(status=answer.status_code, body=answer.json(), headers=answer.headers)


def test_the_platform_says_the_next_step_and_each_command_takes_it(untouched: RunningPlatform) -> None:
    key = ""
    for following in ("make a tenant", "upload a pipeline", "run it", "look at the runs"):
        command = _last_command(untouched)
        shell = subprocess.run(
            ["sh", "-c", command],
            cwd=ROOT,
            env={**os.environ, "ADMIN_API_KEY": ADMIN_KEY, "API_KEY": key},
            capture_output=True,
            text=True,
            check=True,
        )
        key = json.loads(shell.stdout).get("api_key", key)
        _wait_for(untouched, f"Next: {following}")
    assert json.loads(shell.stdout)["status"] == "PENDING"


def test_a_tenant_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    environment = {
        "PORT": str(free_port()),
        "EPHEMERAL": "1",
        "ADMIN_API_KEY": ADMIN_KEY,
        "TENANT": "No Tenant",
    }
    log = tmp_path / "platform.log"
    with log.open("wb") as out, started(RUN, environment, out) as process:
        assert process.wait(START_SECONDS) == 1
    said = log.read_text(encoding="utf-8")
    assert "Convergence cannot start: TENANT cannot be made: /tenant_id: " in said
    assert "Traceback" not in said


def _last_command(platform: RunningPlatform) -> str:
    """Return the command below the last "Next:" that was printed."""
    lines = platform.printed.rpartition("Next: ")[2].splitlines()[1:]
    return "\n".join(itertools.takewhile(lambda line: line.startswith("  "), lines)).strip()


def _wait_for(platform: RunningPlatform, text: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while text not in platform.printed:
        assert time.monotonic() < deadline, platform.printed
        time.sleep(0.05)
