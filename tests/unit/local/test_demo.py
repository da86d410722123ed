"""The demo's pieces, each by itself; tests/e2e has it whole."""

import io
import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, cast

import pytest
from google.api_core import exceptions as google
from rich.console import Console

from cli.drawing import steps_table
from cli.progress import step_lines, target_tables
from cli.watching import Pace, watch
from common.client import Api, ApiError, Key, StillRunning
from common.client.runs import RunStatus
from local.demo import run
from local.demo.calls import ApiCall, Content
from local.demo.errors import DemoError
from local.demo.guide import pipeline_file, run_pipeline
from local.demo.screen import Screen
from local.demo.tables import TenantTables
from local.demo.verdict import check_any_rows, check_run, check_view

API_KEY = "acme_api_AbCdEfGhIjKlMnOp"
NOW = datetime(2024, 1, 18, 9, 30, 5, tzinfo=UTC)


class Echo(BaseHTTPRequestHandler):
    """Answers with what came, and with the status that the path names."""

    def do_POST(self) -> None:
        data = self.rfile.read(int(self.headers["Content-Length"]))
        came = {"data": data.decode(), "type": self.headers["Content-Type"], "key": self.headers["X-API-Key"]}
        self.send_response(int(self.path.rpartition("/")[2]))
        self.end_headers()
        self.wfile.write(b"no JSON" if self.path.startswith("/text") else json.dumps(came).encode())

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def post(path: str, content: Content | None = None) -> ApiCall:
    return ApiCall(method="POST", path=path, key=Key.tenant(API_KEY), content=content or Content.json({}))


def step(step_id: str, status: str, **columns: Any) -> dict[str, Any]:
    return {"step_id": step_id, "status": status, **columns}


def run_status(status: str, *levels: list[dict[str, Any]], **columns: Any) -> dict[str, Any]:
    numbered = [{"level": number, "steps": steps} for number, steps in enumerate(levels, start=1)]
    return {"pipeline_id": "p", "status": status, "duration_ms": None, "levels": numbered, **columns}


def plain_screen(width: int = 100) -> tuple[Screen, io.StringIO]:
    text = io.StringIO()
    return Screen(Console(file=text, width=width, highlight=False)), text


# Commands


def test_a_command_shows_the_first_characters_of_a_key_alone() -> None:
    command = post("/x").as_curl("http://host")
    assert "acme_api_AbCd…" in command
    assert "EfGh" not in command


def test_a_command_names_the_variable_of_the_admin_key() -> None:
    call = ApiCall(method="POST", path="/admin/bootstrap", key=Key.operator("secret"))
    assert call.sent_headers(None) == {"X-Admin-Key": "secret"}
    assert '-H "X-Admin-Key: $ADMIN_API_KEY"' in call.as_curl("http://host")
    assert "secret" not in call.as_curl("http://host")


@pytest.mark.parametrize("form", [Content.guide_file, Content.yaml_file])
def test_the_command_that_is_shown_sends_what_the_demo_sends(
    form: Callable[[Path, str], Content], url: str, tmp_path: Path
) -> None:
    file = tmp_path / "p.yml"
    file.write_bytes(b'{"pipeline": 1,\r\n "steps": 2}\n')
    call = post("/200", form(file, str(file)))
    typed = call.as_curl(url).replace("acme_api_AbCd…", API_KEY)
    shown = subprocess.run(["bash", "-c", f"{typed} -s"], capture_output=True, text=True, check=True)
    assert json.loads(shown.stdout) == Api(url=url).send(call).body


# Answers


@pytest.mark.parametrize(
    ("path", "words"), [("/422", "POST /422: 422"), ("/text/200", "the body is no JSON")]
)
def test_an_answer_that_is_none_ends_the_demo(path: str, words: str, url: str) -> None:
    with pytest.raises(ApiError, match=words):
        Api(url=url).send(post(path))


def test_a_platform_that_does_not_answer_ends_the_demo() -> None:
    with pytest.raises(ApiError, match="the platform does not answer: ConnectionError"):
        Api(url="http://127.0.0.1:9").send(post("/200"))


# Files


def test_the_guides_pipeline_is_sent_without_line_breaks_and_run_for_its_date() -> None:
    file = pipeline_file(None)
    assert file.config_id == "bq_etl_test"
    assert b"\n" not in file.content.data
    content = run_pipeline(Key.tenant(API_KEY), file).content
    assert content is not None
    assert content.data == b'{"date": "2024-01-01"}'
    assert file.run_date == date(2024, 1, 1)


@pytest.mark.parametrize(
    ("text", "config_id"),
    [("pipeline: {id: mine}\nsteps: []\n", "mine"), ("steps: []\n", "my_file"), (": no YAML: [", "my_file")],
)
def test_a_file_of_the_users_own_is_named_by_its_id_or_by_itself(
    text: str, config_id: str, tmp_path: Path
) -> None:
    path = tmp_path / "my file.yml"
    path.write_text(text)
    file = pipeline_file(path)
    assert file.config_id == config_id
    assert file.content.data == text.encode()
    assert not file.is_the_guides


def test_a_demo_whose_file_is_not_there_says_so_in_one_line(tmp_path: Path) -> None:
    screen, text = plain_screen(width=300)
    assert run(tmp_path / "gone.yml", screen) == 1
    said = f"The demo cannot start: {tmp_path / 'gone.yml'}: No such file or directory"
    assert text.getvalue().splitlines() == ["", said]


# Following


def test_a_step_under_way_shows_how_long_it_has_taken() -> None:
    running = step("a", "RUNNING", start_time="2024-01-18T09:30:03.500000Z", target_table="acme.t")
    ended = step("b", "COMPLETED", duration_ms=250, rows_processed=1200)
    lines = step_lines(run_status("RUNNING", [running, ended], [step("c", "PENDING")]), NOW)
    assert [(line.level, line.step, line.duration, line.rows) for line in lines] == [
        (1, "a", "1.5 s", ""),
        (1, "b", "0.2 s", "1,200"),
        (2, "c", "", ""),
    ]


def test_target_tables_are_named_once_and_without_their_dataset() -> None:
    steps = [step("a", "COMPLETED", target_table="acme.t"), step("b", "COMPLETED", target_table="acme.t")]
    final = [step("c", "SKIPPED"), step("d", "COMPLETED", target_table="u")]
    assert target_tables(run_status("COMPLETED", steps, final)) == ["t", "u"]


def test_each_change_of_a_step_is_a_line_where_there_is_no_terminal() -> None:
    done = step("a", "COMPLETED", duration_ms=900, rows_processed=2, target_table="acme.t")
    answers = iter(
        [
            run_status("PENDING", [step("a", "PENDING")]),
            run_status("RUNNING", [step("a", "RUNNING")]),
            run_status("RUNNING", [step("a", "RUNNING")]),
            run_status("COMPLETED", [done], duration_ms=1000),
        ]
    )
    screen, text = plain_screen()
    assert (
        watch(lambda _: cast("RunStatus", next(answers)), screen, Pace(first_seconds=0.0))["status"]
        == "COMPLETED"
    )
    assert [line.split(maxsplit=2)[2] for line in text.getvalue().splitlines()] == [
        "level 1  a  PENDING",
        "level 1  a  RUNNING",
        "level 1  a  COMPLETED  0.9 s  2 rows  acme.t",
    ]


def test_a_run_that_does_not_end_ends_the_demo() -> None:
    screen, _ = plain_screen()
    pace = Pace(first_seconds=0.0, limit_seconds=0.0)
    with pytest.raises(StillRunning, match="has not ended after 0 s"):
        watch(lambda _: cast("RunStatus", run_status("RUNNING", [step("a", "RUNNING")])), screen, pace)


def test_a_terminal_shows_one_table_with_a_row_per_step() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    lines = step_lines(run_status("RUNNING", [step("a", "RUNNING"), step("b", "PENDING")]), NOW)
    console.print(steps_table("p  RUNNING  1.0 s", lines))
    drawn = console.file.getvalue()  # type: ignore[attr-defined]
    assert all(word in drawn for word in ("p  RUNNING  1.0 s", "Duration", "a", "b", "PENDING"))


# Rows


class NoBigQuery:
    """Has no tables."""

    project = "p"

    def query_and_wait(self, _: str) -> None:
        raise google.NotFound("Not found:\nTable p:acme.t")  # type: ignore[no-untyped-call]


def test_a_table_that_cannot_be_read_ends_the_demo_in_one_line() -> None:
    tables = TenantTables(client=NoBigQuery(), tenant="acme")  # type: ignore[arg-type]
    with pytest.raises(DemoError, match=r"acme\.t cannot be read: .* Table p:acme\.t"):
        tables.rows("t")


def test_brackets_in_a_tenants_rows_are_shown_as_they_are() -> None:
    screen, text = plain_screen()
    screen.rows([{"a": "[bold]x[/bold]", "b": None}])
    assert "[bold]x[/bold]" in text.getvalue()


# Verdicts


def test_a_run_that_failed_ends_the_demo_with_its_reason() -> None:
    with pytest.raises(DemoError, match="the run is FAILED: step a: no such table"):
        check_run(run_status("FAILED", error_message="step a: no such\ntable"))


def test_a_table_without_rows_ends_the_demo() -> None:
    check_any_rows("t", [{"a": 1}])
    with pytest.raises(DemoError, match="t holds no rows"):
        check_any_rows("t", [])


def shown_run(**columns: Any) -> Mapping[str, Any]:
    good = {"pipeline_status": "COMPLETED", "steps_completed": 2, "total_steps": 2}
    return good | columns


@pytest.mark.parametrize(
    "rows", [[], [shown_run()] * 2, [shown_run(steps_completed=1)], [shown_run(pipeline_status="RUNNING")]]
)
def test_a_view_that_shows_the_run_otherwise_ends_the_demo(rows: list[Mapping[str, Any]]) -> None:
    check_view([shown_run()])
    with pytest.raises(DemoError, match="shows the run otherwise"):
        check_view(rows)
