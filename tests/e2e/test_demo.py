"""`make demo` as a process, and its story, with files of the user's own, on the session's platform."""

import io
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from google.cloud import bigquery
from rich.console import Console

from common.client import Api, ApiError, Client, Key
from local.demo.errors import DemoError
from local.demo.guide import pipeline_file
from local.demo.screen import Screen
from local.demo.story import Story
from local.demo.tables import TenantTables
from tests.e2e.platforms import ADMIN_KEY, RunningPlatform, started

DEMO = ("-m", "local", "demo")
DEMO_SECONDS = 300  # On a machine that has much else to do.

type Tell = Callable[[str, str], str]


def own_file(folder: Path, sql: str) -> Path:
    """Write a pipeline of the user's own, of one query."""
    file = folder / "own.yml"
    step = f"{{id: one, ps_type: bq_etl.query, config: {{source_query: {sql}, target_table: ones}}}}"
    file.write_text(f"pipeline: {{id: own, name: My own}}\nsteps: [{step}]\n", encoding="utf-8")
    return file


@pytest.fixture
def tell(platform: RunningPlatform, tables: bigquery.Client, tmp_path: Path) -> Tell:
    """Return what tells the story of a new tenant that runs one query, and returns the summary."""

    def told(tenant: str, sql: str) -> str:
        return Story(
            api=Api(url=platform.url),
            screen=Screen(Console(file=io.StringIO())),
            tables=TenantTables(client=tables, tenant=tenant),
            file=pipeline_file(own_file(tmp_path, sql)),
            admin_key=Key.operator(ADMIN_KEY),
            environment={},
        ).tell()

    return told


def test_a_demo_of_the_users_own_file_that_is_kept_shows_its_run_in_the_console_until_it_is_interrupted(
    tmp_path: Path,
) -> None:
    log, config = tmp_path / "demo.log", own_file(tmp_path, "SELECT 1 AS one")
    command = (*DEMO, "--config", str(config), "--keep")
    with log.open("wb") as out, started(command, {}, out) as process:
        deadline = time.monotonic() + DEMO_SECONDS
        while "Ctrl-C ends it" not in log.read_text(encoding="utf-8"):
            assert process.poll() is None, log.read_text(encoding="utf-8")
            assert time.monotonic() < deadline
            time.sleep(0.5)
        told = re.search(r"(http://[^ ]+)/, for who signs in with (\S+)", log.read_text(encoding="utf-8"))
        assert told
        client = Client(Api(url=told[1], key=Key.tenant(told[2])))
        assert client.runs.history()["runs"][0]["status"] == "COMPLETED"
        assert requests.get(f"{told[1]}/", timeout=60).text.count("<h1>Sign in</h1>") == 1
        process.send_signal(signal.SIGINT)
        assert process.wait(DEMO_SECONDS) == 0
    assert "own ran to COMPLETED" in log.read_text(encoding="utf-8")


def test_the_demo_shows_every_command_with_its_answer_and_succeeds(tmp_path: Path) -> None:
    log = tmp_path / "demo.log"
    with log.open("wb") as out, started(DEMO, {}, out) as process:
        code = process.wait(DEMO_SECONDS)
    printed = log.read_text(encoding="utf-8")
    assert code == 0, printed
    parts = (
        "/admin/bootstrap",
        "/api/v1/tenants/onboard",
        "-d @configs/setup/bq_etl_test.yml",
        "/api/v1/pipelines/run/bq_etl_test",
        "level 1  extract_data  COMPLETED",
        "level 2  transform_data  COMPLETED",
        "daily 1 of 25",
        "north",
        "pipeline_status",
        "--data-binary @configs/setup/from_csv.yml",
        "seed_orders",
        "WARNED  taxes_are_small",
        "from_csv/taxes",
        "/api/v1/pipelines/tables/taxes/rows",
        "28.5",
        "bq_etl_test ran to COMPLETED",
    )
    places = [printed.find(part) for part in parts]
    assert -1 not in places, printed
    assert places == sorted(places)
    assert "Traceback" not in printed


def test_a_run_that_fails_ends_the_story_with_its_reason(tell: Tell) -> None:
    with pytest.raises(DemoError, match="the run is FAILED: step one: "):
        tell("demo_fails", "SELECT 1 / 0 AS n")


def test_a_file_with_violations_ends_the_story_with_their_places(tell: Tell) -> None:
    with pytest.raises(ApiError, match=r"422 .*/steps/0/config/source_query: "):
        tell("demo_faults", "DROP TABLE ones")
