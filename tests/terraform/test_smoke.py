"""`make smoke`, against the local platform and against platforms that are not as the guide says."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.e2e.platforms import ADMIN_KEY, RunningPlatform, running_platform

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[RunningPlatform]:
    with running_platform(tmp_path / "platform.log") as running:
        yield running


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def smoke(url: str, admin_key: str = ADMIN_KEY) -> tuple[int, str, str]:
    environment = {**os.environ, "URL": url, "ADMIN_API_KEY": admin_key}
    command = [sys.executable, "-m", "scripts.smoke"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_the_guides_commands_do_on_the_local_platform_what_the_guide_says(platform: RunningPlatform) -> None:
    code, said, complaints = smoke(platform.url)
    assert (code, complaints) == (0, "")
    steps = [line.partition(":")[0] for line in said.splitlines()]
    assert steps == ["bootstrap", "onboard", "upload", "run", "status", "quota", "revoke", "remove"]
    assert "status: COMPLETED" in said
    assert said.splitlines()[-1].endswith("and its data are gone")
    assert not [one for one in datasets(platform) if one.startswith("smoke_")]


def datasets(platform: RunningPlatform) -> list[str]:
    with platform.bigquery() as client:
        return [dataset.dataset_id for dataset in client.list_datasets()]


def test_without_a_url_it_says_what_to_give() -> None:
    assert smoke("") == (2, "", "Give URL=https://... and ADMIN_API_KEY=...\n")


def test_a_platform_that_is_not_there_is_one_line() -> None:
    code, _, complaint = smoke(f"http://127.0.0.1:{free_port()}")
    assert code == 1
    assert complaint.startswith("smoke: ")
    assert complaint.count("\n") == 1


def test_an_answer_of_another_status_names_the_call_and_the_answer() -> None:
    class Refuses(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(403)
            self.end_headers()
            self.wfile.write(b'{"detail": "wrong key"}')

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Refuses) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        code, _, complaint = smoke(f"http://127.0.0.1:{server.server_port}/{{function}}")
        server.shutdown()
    assert code == 1
    assert complaint == 'smoke: POST /admin/bootstrap answered 403, not 200: {"detail": "wrong key"}\n'
