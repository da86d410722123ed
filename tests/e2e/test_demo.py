"""`make demo` as a process, where there is no terminal."""

from pathlib import Path

from tests.e2e.platforms import started

DEMO = ("-m", "local", "demo")
DEMO_SECONDS = 300  # On a machine that has much else to do.


def acted_out(log: Path, *arguments: str) -> tuple[int, str]:
    """Run the demo to its end and return its exit code and what it printed."""
    with log.open("wb") as out, started((*DEMO, *arguments), {}, out) as process:
        code = process.wait(DEMO_SECONDS)
    return code, log.read_text(encoding="utf-8")


def test_the_demo_shows_every_command_with_its_answer_and_succeeds(tmp_path: Path) -> None:
    code, printed = acted_out(tmp_path / "demo.log")
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
        "bq_etl_test ran to COMPLETED",
    )
    places = [printed.find(part) for part in parts]
    assert -1 not in places, printed
    assert places == sorted(places)
    assert "Traceback" not in printed


def test_the_demo_runs_a_file_of_the_users_own(tmp_path: Path) -> None:
    file = tmp_path / "own.yml"
    file.write_text(
        "pipeline: {id: own, name: My own}\n"
        "steps:\n"
        "  - id: one\n"
        "    ps_type: bq_etl.query\n"
        "    config: {source_query: 'SELECT 1 AS one', target_table: ones}\n",
        encoding="utf-8",
    )
    code, printed = acted_out(tmp_path / "demo.log", "--config", str(file))
    assert code == 0, printed
    assert "own ran to COMPLETED" in printed


def test_a_run_that_fails_ends_the_demo_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "own.yml"
    step = "{id: one, ps_type: bq_etl.query, config: {source_query: SELECT 1 / 0 AS n, target_table: ones}}"
    file.write_text(f"pipeline: {{id: own, name: My own}}\nsteps: [{step}]\n", encoding="utf-8")
    code, printed = acted_out(tmp_path / "demo.log", "--config", str(file))
    assert code == 1
    (line,) = [line for line in printed.splitlines() if line.startswith("The demo failed: ")]
    assert "the run is FAILED: step one: " in line
    assert "Traceback" not in printed
