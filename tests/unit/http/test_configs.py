from pathlib import Path
from typing import Any

import pytest

from common.http.endpoints.configs import PIPELINE_FILES
from common.tenants.keys import Scope
from tests.unit.http.site import key_of
from tests.unit.http.world import OTHER, World

CONFIG = "/api/v1/pipelines/configs/bq_etl_test"
FILE = PIPELINE_FILES["application/yaml"]
GUIDES_FILE = Path(__file__).resolve().parents[3] / "configs" / "setup" / "bq_etl_test.yml"


@pytest.fixture
def world() -> World:
    return World()


def upload(
    world: World, text: str | bytes = FILE, content_type: str = "application/yaml", **more: Any
) -> Any:
    return world.ask("POST", CONFIG, data=text, content_type=content_type, **more)


@pytest.mark.parametrize("content_type", sorted(PIPELINE_FILES))
def test_the_documents_example_of_a_pipeline_is_one(world: World, content_type: str) -> None:
    assert upload(world, PIPELINE_FILES[content_type], content_type).status_code == 201


def test_an_upload_answers_how_the_pipeline_was_understood(world: World) -> None:
    response = upload(world)
    body = response.json
    assert (response.status_code, body["version"], body["message"]) == (201, 1, "version 1 is saved")
    assert body["levels"] == [["extract_data"]]
    assert [parameter["name"] for parameter in body["parameters"]] == ["date"]
    assert (body["tenant_id"], body["created_by"]) == ("acme", "key-of-acme")
    assert response.headers["Location"] == f"https://convergence.example.com{CONFIG}"


def test_the_same_file_again_is_no_new_version(world: World) -> None:
    upload(world)
    response = upload(world)
    assert (response.status_code, response.json["version"]) == (200, 1)


def test_another_file_is_the_next_version_and_the_first_stays_readable(world: World) -> None:
    upload(world)
    assert upload(world, FILE.replace("Daily", "Nightly")).json["version"] == 2
    assert "Nightly" in (world.ask("GET", CONFIG).json or {})["pipeline_yaml"]
    assert (world.ask("GET", f"{CONFIG}?version=1").json or {})["pipeline_yaml"] == FILE


def test_a_pipeline_tells_what_a_run_of_it_can_be_given(world: World) -> None:
    declared = FILE + "parameters:\n  region: {type: STRING, default: eu, allowed: [eu, us]}\n"
    assert upload(world, declared).status_code == 201
    [day, region] = (world.ask("GET", CONFIG).json or {})["parameters"]
    assert (day["name"], day["type"]) == ("date", "DATE")
    assert region == {
        "name": "region",
        "type": "STRING",
        "description": "",
        "required": False,
        "secret": False,
        "default": "eu",
        "allowed": ["eu", "us"],
    }


@pytest.mark.parametrize(
    "content_type",
    ["", "application/json", "application/x-www-form-urlencoded", "text/yaml; charset=utf-8"],
)
def test_the_guides_upload_works_with_any_usual_content_type(world: World, content_type: str) -> None:
    # As curl's `-d @file` sends it: without line breaks.
    sent = GUIDES_FILE.read_bytes().replace(b"\n", b"")
    assert upload(world, sent, content_type).json["levels"] == [["extract_data"], ["transform_data"]]


def test_yaml_that_lost_its_line_breaks_is_told_what_to_do(world: World) -> None:
    response = upload(world, FILE.replace("\n", ""))
    assert response.status_code == 400
    assert "--data-binary" in response.json["errors"][0]["rule"]


def test_all_violations_of_a_file_are_told_at_once(world: World) -> None:
    response = upload(world, FILE.replace("name:", "nam:").replace("bq_etl.query", "bq_etl.qery"))
    assert response.status_code == 422
    places = {fault["pointer"] for fault in response.json["errors"]}
    assert {"/pipeline/nam", "/pipeline/name", "/steps/0/ps_type"} <= places


def test_rules_of_shape_and_of_meaning_are_told_together(world: World) -> None:
    schedule = (
        "\nschedule:\n  cron: 0 5 * * MOO\n  timezone: Mars/Base\n  catch_up: maybe\n  start: 2026-02-30\n"
    )
    response = upload(world, FILE.rstrip() + schedule)
    places = {fault["pointer"] for fault in response.json["errors"]}
    assert {f"/schedule/{key}" for key in ("cron", "timezone", "catch_up", "start")} <= places


def test_a_fault_names_the_step_and_the_line_of_the_file(world: World) -> None:
    wrong = FILE.replace("bq_etl.query", "bq_etl.qery", 1)
    (line,) = (number for number, text in enumerate(wrong.split("\n"), start=1) if "qery" in text)
    violations = {fault["pointer"]: fault for fault in upload(world, wrong).json["errors"]}
    fault = violations["/steps/0/ps_type"]
    assert fault["line"] == line
    assert f"id: {fault['step']}" in wrong
    assert upload(world, "pipeline: {name: *}\n").json["errors"][0]["line"] == 1


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (FILE, "image/png", 415),
        (FILE, "application/yaml; charset=utf-16", 415),
        (b"\xff\xfe", "application/yaml", 400),
        (b"", "application/yaml", 400),
        (b"#" * (256 * 1024 + 1), "application/yaml", 413),
        ("{a: " * 50 + "}" * 50, "application/yaml", 413),
        ("[1, 2]", "application/json", 400),
    ],
)
def test_what_is_no_pipeline_file_is_refused(
    world: World, body: str | bytes, content_type: str, status: int
) -> None:
    assert upload(world, body, content_type).status_code == status


def test_the_list_has_the_tenants_own_configs(world: World) -> None:
    upload(world)
    mine = (world.ask("GET", "/api/v1/pipelines/configs").json or {})["configs"]
    assert [config["config_id"] for config in mine] == ["bq_etl_test"]
    assert "pipeline_yaml" not in mine[0]
    assert (world.ask("GET", "/api/v1/pipelines/configs", key=OTHER).json or {})["configs"] == []


def test_a_deleted_config_is_gone_and_its_versions_are_not(world: World) -> None:
    upload(world)
    assert world.ask("DELETE", CONFIG).status_code == 204
    assert world.ask("GET", CONFIG).status_code == 404
    assert world.ask("DELETE", CONFIG).status_code == 404
    assert world.ask("GET", f"{CONFIG}?version=1").status_code == 200
    versions = (world.ask("GET", f"{CONFIG}/versions").json or {})["versions"]
    assert [(config["version"], config["is_active"]) for config in versions] == [(2, False), (1, True)]


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("GET", "/versions"), ("DELETE", "")])
def test_another_tenants_config_is_not_there(world: World, method: str, path: str) -> None:
    upload(world)
    assert world.ask(method, CONFIG + path, key=OTHER).status_code == 404
    assert world.ask("GET", CONFIG).status_code == 200


def test_a_config_of_the_same_id_is_each_tenants_own(world: World) -> None:
    upload(world)
    assert upload(world, key=OTHER).json["version"] == 1


def test_only_a_key_that_manages_changes_configs(world: World) -> None:
    for scope in (Scope.RUN, Scope.READ):
        key = key_of("acme", frozenset({scope}))
        assert upload(world, key=key).status_code == 403
        assert world.ask("DELETE", CONFIG, key=key).status_code == 403


@pytest.mark.parametrize("config_id", ["A", "1st", "a.b", "a" * 64, "a b"])
def test_a_config_id_has_a_form(world: World, config_id: str) -> None:
    assert world.ask("POST", f"/api/v1/pipelines/configs/{config_id}", data=FILE).status_code == 422


@pytest.mark.parametrize("version", ["0", "-1", "latest", "1.0", "99999999999"])
def test_a_version_is_a_number_from_1(world: World, version: str) -> None:
    assert world.ask("GET", f"{CONFIG}?version={version}").status_code == 422


def test_pipelines_are_found_by_their_tags(world: World) -> None:
    def save(config_id: str, text: str) -> None:
        path = f"/api/v1/pipelines/configs/{config_id}"
        saved = world.ask("POST", path, data=text, content_type="application/yaml")
        assert saved.status_code == 201, saved.text

    steps = "steps:" + FILE.partition("steps:")[2]
    tagged = {"a": "[sales, daily]", "b": "[sales]", "c": '["s\\u0061les"]', "d": "[presales]"}
    for config_id, tags in tagged.items():
        save(config_id, f"pipeline: {{name: sales, tags: {tags}}}\n{steps}")
    save("e", f"pipeline: {{name: sales}}\n{steps}")

    def found(query: str) -> list[str]:
        listed = world.ask("GET", f"/api/v1/pipelines/configs{query}").get_json()
        return [config["config_id"] for config in listed["configs"]]

    assert found("?tag=sales") == ["a", "b", "c"]
    assert found("?tag=daily") == ["a"]
    assert found("?tag=nothing") == []
    assert found("") == ["a", "b", "c", "d", "e"]
