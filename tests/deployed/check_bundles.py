"""The guide's commands, typed at functions that run as they are deployed."""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from socket import create_connection

import pytest
import requests

from local.demo.stage import ephemeral_options
from local.instances import deployed_threads
from local.platform import Platform
from tests.deployed.instances import LOCKED, ROOT, Deployed, bundles, deployed
from tests.e2e.curl import typed
from tests.e2e.tenants import Answer, Tenant, steps_of

HALF_A_REQUEST = (
    b"POST /api/v1/tenants/onboard HTTP/1.1\r\nHost: here\r\nConnection: close\r\n"
    b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{"
)


@pytest.fixture(scope="module")
def instances(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where bundles are unzipped, and where each instance writes its log."""
    return tmp_path_factory.mktemp("instances")


@pytest.fixture(scope="module")
def functions() -> dict[str, Deployed]:
    """Hold the instance of each function, once the platform runs."""
    return {}


@pytest.fixture(scope="module")
def platform(instances: Path, functions: dict[str, Deployed]) -> Iterator[Platform]:
    """Start the local services, and the functions as the cloud would."""

    @contextmanager
    def serving(told: Mapping[str, str]) -> Iterator[Mapping[str, Deployed]]:
        with deployed(instances, told) as running:
            functions.update(running)
            yield running

    with Platform(ephemeral_options(), serving=serving) as running:
        yield running


@pytest.fixture(scope="module")
def guide(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Answer]:
    """Type the guide's commands in its order."""
    home, host = tmp_path_factory.mktemp("curl"), platform.options.url.removeprefix("http://")
    bootstrap = typed("bootstrap", host, home, ADMIN_API_KEY=platform.options.admin_api_key)
    onboard = typed("onboard", host, home)
    tenant = Tenant(url=platform.options.url, id="customer_name", key=onboard.body["api_key"])
    upload = typed("upload", host, home, API_KEY=tenant.key)
    run = typed("run", host, home, API_KEY=tenant.key)
    run_id = run.body["pipeline_logging_id"]
    tenant.ended(run_id)
    return {
        "bootstrap": bootstrap,
        "onboard": onboard,
        "upload": upload,
        "run": run,
        "status": typed("status", host, home, run_id=run_id, API_KEY=tenant.key),
        "quota": typed("quota", host, home, API_KEY=tenant.key),
    }


def test_a_bundle_imports_from_itself_and_its_lock_alone(instances: Path, platform: Platform) -> None:
    for name in ("pipelines", "run_level"):  # One that answers requests, and one that gets messages.
        command = [str(LOCKED / "python"), "-c", "import main, common, sys; print(common.__file__)"]
        environment = {"PATH": os.defpath, "GCP_PROJECT_ID": "p", "FUNCTION_SIGNATURE_TYPE": "http"}
        done = subprocess.run(
            command, cwd=instances / name, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert Path(done.stdout.strip()).is_relative_to(instances / name)
        assert str(ROOT) not in done.stdout


def test_the_guides_commands_answer_as_they_do_in_the_guide(guide: dict[str, Answer]) -> None:
    assert {name: answer.status for name, answer in guide.items()} == {
        "bootstrap": 200,
        "onboard": 201,
        "upload": 201,
        "run": 202,
        "status": 200,
        "quota": 200,
    }


def test_a_run_of_two_levels_completes(guide: dict[str, Answer]) -> None:
    status = guide["status"].body
    assert status["status"] == "COMPLETED"
    assert [step["rows_processed"] for step in steps_of(status)] == [6, 3]
    assert len(status["levels"]) == 2


def test_the_dispatcher_does_its_minute(platform: Platform, guide: dict[str, Answer]) -> None:
    answer = requests.post(f"{platform.options.url}/_functions/dispatcher/", timeout=60)
    assert answer.status_code == 200, answer.text


def test_each_public_function_is_ready_and_says_what_the_api_is(platform: Platform) -> None:
    for name in ("admin", "onboarding", "pipelines"):
        for path in ("health", "openapi.json"):
            answer = requests.get(f"{platform.options.url}/_functions/{name}/{path}", timeout=60)
            assert answer.status_code == 200, answer.text


def test_an_operator_signs_in_at_the_console(platform: Platform, guide: dict[str, Answer]) -> None:
    with requests.Session() as browser:
        page = browser.get(f"{platform.options.url}/", timeout=60).text
        token = re.search(r'name="form_token" value="([^"]+)"', page)
        assert token, page
        form = {"form_token": token[1], "key": platform.options.admin_api_key}
        answer = browser.post(f"{platform.options.url}/console/sign-in", data=form, timeout=60)
    assert answer.status_code == 200, answer.text
    assert "<h1>Platform</h1>" in answer.text


def test_an_instance_works_on_as_many_requests_as_the_cloud_sends_it(
    platform: Platform, functions: dict[str, Deployed]
) -> None:
    # Each sends half a body and so keeps a thread; the last is answered first only where it has one.
    address = ("127.0.0.1", functions["onboarding"].port)
    with ExitStack() as open_connections:
        callers = [
            open_connections.enter_context(create_connection(address, timeout=60))
            for _ in range(deployed_threads()["onboarding"])
        ]
        for caller in callers:
            caller.sendall(HALF_A_REQUEST)
        for caller in reversed(callers):
            caller.sendall(b"}")
            assert caller.recv(1024).startswith(b"HTTP/1.1 422 ")


def test_no_instance_writes_a_traceback(instances: Path, guide: dict[str, Answer]) -> None:
    logs = {name: (instances / name).with_suffix(".log").read_text() for name in bundles()}
    assert {name: log for name, log in logs.items() if "Traceback" in log} == {}
