"""`init` and `validate`: pipeline files, offline."""

import json
import socket
from pathlib import Path

import pytest

from cli.pipeline_files import config_id_of
from common.pipelines.tokens import tokens
from tests.unit.cli.conftest import Convergence

GOOD = """\
pipeline: {id: good, name: Good}
steps:
  - {id: one, ps_type: bq_etl.query, config: {source_query: SELECT 1 AS n, target_table: ones}}
"""
FAULTY = """\
pipeline: {id: faulty}
steps:
  - id: one
    ps_type: bq_etl.query
    config: {source_query: DROP TABLE ones, target_table: other.ones}
"""


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing reach any network."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network is not for this")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


def test_the_pipeline_to_begin_with_breaks_no_rule(convergence: Convergence, home: Path) -> None:
    assert convergence("init").code == 0
    outcome = convergence("validate", "pipeline.yml")
    assert (outcome.code, outcome.out.splitlines()[0]) == (
        0,
        "pipeline.yml: daily_sales: receive_orders then sum_up",
    )


def test_no_file_is_written_over_unless_that_is_said(convergence: Convergence, home: Path) -> None:
    (home / "pipeline.yml").write_text("mine")
    assert convergence("init").code == 2
    assert (home / "pipeline.yml").read_text() == "mine"
    assert convergence("init", "--force").code == 0


def test_every_rule_of_every_file_is_told_with_its_line(convergence: Convergence, home: Path) -> None:
    (home / "good.yml").write_text(GOOD)
    (home / "faulty.yml").write_text(FAULTY)
    outcome = convergence("validate", "good.yml", "faulty.yml", "--tenant", "acme")
    assert outcome.code == 1
    lines = outcome.out.splitlines()
    assert "faulty.yml:1:1: error: /pipeline/name: is required" in lines
    assert any(
        line.startswith(
            "faulty.yml:5:14: error: step one, /steps/0/config/source_query: step one begins with DROP"
        )
        for line in lines
    )
    assert (
        "faulty.yml:5:45: error: step one, /steps/0/config/target_table: must be in your own dataset, acme"
        in lines
    )
    assert lines[-1] == "2 files, 1 with errors: 3 errors, 0 warnings"


def test_the_same_as_json(convergence: Convergence, home: Path) -> None:
    (home / "faulty.yml").write_text(FAULTY)
    for arguments in (["--json"], ["--format", "json"]):
        outcome = convergence("validate", "faulty.yml", *arguments)
        told = json.loads(outcome.out)
        (file,) = told["files"]
        assert (outcome.code, told["ok"], file["config_id"]) == (1, False, "faulty")
        assert file["errors"][0] == {
            "pointer": "/pipeline/name",
            "step": None,
            "line": 1,
            "column": 1,
            "rule": "is required",
        }


def test_annotations_are_one_line_each_and_hold_no_second_command(
    convergence: Convergence, home: Path
) -> None:
    hostile = home / "a,b:c.yml"
    hostile.write_text(FAULTY.replace("id: one", 'id: "x%\\n::error ::y"'))
    outcome = convergence("validate", hostile.name, "--format", "github")
    assert outcome.code == 1
    lines = outcome.out.splitlines()
    assert lines
    assert all(line.startswith("::error file=a%2Cb%3Ac.yml,line=") for line in lines)
    assert not any("::error" in line[2:] and "%0A::error" not in line for line in lines)


def test_a_place_in_sql_has_its_column_in_the_file(convergence: Convergence, home: Path) -> None:
    (home / "x.yml").write_text(GOOD.replace("SELECT 1 AS n", '"SELECT ${nope} AS n"'))
    (place,) = json.loads(convergence("validate", "x.yml", "--json").out)["files"][0]["errors"]
    line, column = place["line"], place["column"]
    assert (line, column is not None) == (3, True)
    assert convergence("validate", "x.yml").out.startswith(f"x.yml:{line}:{column}: error: ")
    assert f",line={line},col={column},title=" in convergence("validate", "x.yml", "--format", "github").out


def test_a_clean_file_has_no_annotation(convergence: Convergence, home: Path) -> None:
    (home / "good.yml").write_text(GOOD)
    assert convergence("validate", "good.yml", "--format", "github").out == ""


def test_a_folder_gives_its_yaml_and_nothing_hidden(convergence: Convergence, home: Path) -> None:
    (home / "p" / "deep").mkdir(parents=True)
    (home / "p" / ".git").mkdir()
    for path in (
        "p/good.yml",
        "p/deep/other.YAML",
        "p/.hidden.yml",
        "p/.git/x.yml",
        "p/notes.md",
        "p/data.json",
    ):
        (home / path).write_text(GOOD.replace("good", Path(path).stem.lower()))
    told = json.loads(convergence("validate", "p", "--json").out)
    assert [file["file"] for file in told["files"]] == ["p/good.yml", "p/deep/other.YAML"]


@pytest.mark.parametrize("arguments", [["empty"], ["gone.yml"]])
def test_where_there_is_no_file_that_is_said(
    convergence: Convergence, home: Path, arguments: list[str]
) -> None:
    (home / "empty").mkdir()
    outcome = convergence("validate", *arguments)
    assert outcome.code == 2
    assert "there is no pipeline file" in outcome.error or "No such file" in outcome.error


def test_two_files_are_not_the_same_pipeline(convergence: Convergence, home: Path) -> None:
    (home / "a.yml").write_text(GOOD)
    (home / "b.yml").write_text(GOOD)
    outcome = convergence("validate", ".")
    assert outcome.code == 1
    assert outcome.out.count("/pipeline/id: 1 more of these files have the ID good") == 2


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\xff\xfe", "UTF-8"),
        (b"a: [", "a bracket is opened here or above, and not closed"),
        (b"x" * 300_000, "a pipeline may have"),
        (b"", "must be"),
    ],
)
def test_what_cannot_be_read_is_a_fault_of_its_file(
    convergence: Convergence, home: Path, data: bytes, words: str
) -> None:
    (home / "x.yml").write_bytes(data)
    outcome = convergence("validate", "x.yml")
    assert (outcome.code, outcome.error) == (1, "")
    assert words in outcome.out


def test_warnings_fail_where_that_is_asked_for(convergence: Convergence, home: Path) -> None:
    (home / "w.yml").write_text(GOOD.replace("SELECT 1 AS n", '"SELECT * FROM orders"'))
    assert convergence("validate", "w.yml").code == 0
    strict = convergence("validate", "w.yml", "--strict")
    assert (strict.code, "warning" in strict.out) == (1, True)


def test_sources_and_tenant_are_as_given(convergence: Convergence, home: Path) -> None:
    query = '"SELECT n FROM partner.sales.orders JOIN acme.mine USING (n)"'
    (home / "s.yml").write_text(GOOD.replace("SELECT 1 AS n", query))
    assert convergence("validate", "s.yml", "--tenant", "acme").code == 1
    assert convergence("validate", "s.yml", "--tenant", "acme", "--source", "partner.sales").code == 0


@pytest.mark.parametrize(
    ("text", "config_id"),
    [
        ("pipeline: {name: x, id: mine}", "mine"),
        ("steps: [{id: no}, [pipeline, id]]\npipeline:\n  labels: {id: no}\n  id: mine\n", "mine"),
        ('{"pipeline": {"id": "mine"}}', "mine"),
        ("id: no\nsteps: {pipeline: {id: no}}\n", "my_file"),
        ("'': x\na: &a 1\nb: *a\npipeline: {id: mine}\n", "mine"),
        ("pipeline: {id: [no]}", "my_file"),
        ("- pipeline\n- id\n- no\n", "my_file"),
        ("pipeline: {id", "my_file"),
        ("", "my_file"),
    ],
)
def test_a_pipeline_is_called_as_its_file_says_or_like_the_file(text: str, config_id: str) -> None:
    assert config_id_of(text.encode(), Path("my file.yml")) == config_id


def test_two_hundred_steps_are_checked(convergence: Convergence, home: Path) -> None:
    """What takes long is done thrice for a step at the most: as written, as rendered, for warnings."""
    steps = "".join(
        f"  - {{id: s{number}, ps_type: bq_etl.query, config: {{source_query: "
        f"SELECT n FROM t{number - 1}, target_table: t{number}}}}}\n"
        for number in range(200)
    )
    (home / "big.yml").write_text(
        f"pipeline: {{id: big, name: Big}}\ndependencies: {{{levels(200)}}}\nsteps:\n{steps}"
    )
    tokens.cache_clear()
    outcome = convergence("validate", "big.yml", "--json")
    assert tokens.cache_info().misses < 4 * 200  # Those of templates are among them.
    (file,) = json.loads(outcome.out)["files"]
    assert (outcome.code, sum(map(len, file["levels"]))) == (0, 200)


def levels(steps: int) -> str:
    """Give every fifth step a level of its own with the four behind it, whose tables are those of before."""
    return ", ".join(
        f"level_{level}: [{', '.join(f'{{step: s{number}}}' for number in range(level - 1, steps, 40))}]"
        for level in range(1, 41)
    )


def test_a_file_comes_by_the_standard_input_too(convergence: Convergence, home: Path) -> None:
    outcome = convergence("validate", "-", given=FAULTY)
    assert outcome.code == 1
    assert "-:1:1: error: /pipeline/name: is required" in outcome.out.splitlines()
