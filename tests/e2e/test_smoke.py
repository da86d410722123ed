"""`make smoke`, against the local platform and against platforms that are not as the guide says."""

import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

from google.cloud import bigquery

from local.demo.stage import free_port
from tests.e2e.platforms import ADMIN_KEY, ROOT, RunningPlatform


def smoke(url: str, admin_key: str = ADMIN_KEY) -> tuple[int, str, str]:
    environment = {**os.environ, "URL": url, "ADMIN_API_KEY": admin_key}
    command = [sys.executable, "-m", "scripts.smoke"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_the_guides_commands_do_on_the_local_platform_what_the_guide_says(
    platform: RunningPlatform, tables: bigquery.Client
) -> None:
    code, said, complaints = smoke(platform.url)
    assert (code, complaints) == (0, "")
    steps = [line.partition(":")[0] for line in said.splitlines()]
    assert steps == ["bootstrap", "onboard", "upload", "run", "status", "quota", "revoke", "remove"]
    assert "status: COMPLETED" in said
    assert said.splitlines()[-1].endswith("and its data are gone")
    assert not [one for one in tables.list_datasets() if one.dataset_id.startswith("smoke_")]


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
