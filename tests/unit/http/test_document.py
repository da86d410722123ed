import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from common.http.openapi import INFO, all_routes, make_document
from common.http.reference import REFERENCE, reference_text
from common.http.responses import KINDS
from common.http.routing import Access, Place, Route
from common.http.schemas import RULES, schemas, violations_of

DOCUMENT_NOW = make_document(all_routes())
ROUTES = [pytest.param(route, id=f"{route.method} {route.path}") for route in all_routes()]
PROBLEM = "application/problem+json"


def operation(route: Route[Any]) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT_NOW["paths"][route.path][route.method.lower()]
    return found


def resolved(answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer that many routes share, or the route's own."""
    shared = answer.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = DOCUMENT_NOW["components"]["responses"][shared] if shared else answer
    return found


def test_the_document_is_valid_openapi() -> None:
    OpenAPIV31SpecValidator(DOCUMENT_NOW).validate()


def test_the_reference_is_current() -> None:
    # `python -m common.http` writes it anew.
    assert REFERENCE.read_text(encoding="utf-8") == reference_text()


def patterns_of(node: Any) -> set[str]:
    match node:
        case dict():
            own = {node["pattern"]} if isinstance(node.get("pattern"), str) else set()
            return own.union(*(patterns_of(item) for item in node.values()))
        case list():
            return set().union(*(patterns_of(item) for item in node))
    return set()


def test_each_pattern_has_a_rule_in_words() -> None:
    assert patterns_of([dict(schemas()), DOCUMENT_NOW]) <= RULES.keys()
    assert [rule for rule in RULES.values() if re.search(r"\[|\^|\\", rule)] == []


def test_no_route_is_there_twice() -> None:
    places = [(route.method, route.path) for route in all_routes()]
    assert len(set(places)) == len(places)
    names = [route.name for route in all_routes()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("route", ROUTES)
def test_a_route_is_described_by_its_docstring(route: Route[Any]) -> None:
    assert route.summary.endswith(".")
    assert len(route.summary) <= 80
    assert route.tag


@pytest.mark.parametrize("route", ROUTES)
def test_a_route_declares_what_its_path_names(route: Route[Any]) -> None:
    declared = {parameter.name for parameter in route.parameters_in(Place.PATH)}
    assert declared == set(re.findall(r"\{(\w+)\}", route.path))


@pytest.mark.parametrize("route", ROUTES)
def test_the_example_of_a_parameter_keeps_its_schema(route: Route[Any]) -> None:
    for parameter in route.parameters:
        assert violations_of(parameter.schema, parameter.example) == []
        assert parameter.description.endswith(".")


@pytest.mark.parametrize("route", ROUTES)
def test_a_route_names_schemas_that_exist(route: Route[Any]) -> None:
    names = {name for name in route.answers.values() if name} | {route.request_schema or "problem"}
    assert names <= schemas().keys()


@pytest.mark.parametrize("route", ROUTES)
def test_a_route_that_asks_for_a_key_documents_its_refusals(route: Route[Any]) -> None:
    has_key = route.access is not Access.PUBLIC
    documented = operation(route)
    assert bool(documented["security"]) == has_key
    if has_key:
        assert {"401", "403", "429"} <= documented["responses"].keys()


@pytest.mark.parametrize("route", ROUTES)
def test_only_a_route_that_changes_something_takes_a_body(route: Route[Any]) -> None:
    takes_body = bool(route.request_schema) or route.takes_any_content
    assert not takes_body or route.method in {"POST", "PUT", "PATCH", "DELETE"}


@pytest.mark.parametrize("route", [one for one in ROUTES if one.values[0].audited_members])  # type: ignore[union-attr]
def test_what_a_route_has_audited_fits_into_an_entry(route: Route[Any]) -> None:
    assert route.request_schema
    members = schemas()[route.request_schema]["properties"]
    told = schemas()["audit_entry"]["properties"]["details"]["properties"]["values"]["additionalProperties"]
    for name in route.audited_members:
        types = members[name].get("type", "string")
        for kind in [types] if isinstance(types, str) else types:
            assert {kind, "number" if kind == "integer" else kind} & {*told["type"]}, (name, kind)


@pytest.mark.parametrize("route", ROUTES)
def test_the_examples_of_problems_are_problems(route: Route[Any]) -> None:
    for status, given in operation(route)["responses"].items():
        answer = resolved(given)
        for name, example in answer.get("content", {}).get(PROBLEM, {}).get("examples", {}).items():
            assert violations_of("problem", example["value"]) == []
            assert str(example["value"]["status"]) == status
            assert example["value"]["type"].endswith(f":{name}")


def test_the_reference_explains_every_kind_of_problem() -> None:
    reference = reference_text()
    assert all(f"`{kind.type_uri}` | {kind.status}" in reference for kind in KINDS.values())


def test_the_document_refers_to_nothing_that_it_does_not_hold() -> None:
    references = set(re.findall(r'"\$ref": "([^"]+)"', json.dumps(DOCUMENT_NOW)))
    assert references <= {
        f"#/components/{kind}/{name}"
        for kind in ("schemas", "responses")
        for name in DOCUMENT_NOW["components"][kind]
    }


def test_there_is_one_version_everywhere() -> None:
    root = Path(__file__).parents[3]
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    changes = re.findall(
        r"^## \[(\d+\.\d+\.\d+)\]", (root / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert {INFO["version"], changes[0]} == {project}


def test_problems_that_routes_share_stand_in_the_document_once() -> None:
    answers = [answer for route in all_routes() for answer in operation(route)["responses"].values()]
    problems = [answer for answer in answers if PROBLEM in resolved(answer).get("content", {})]
    assert all("$ref" in answer for answer in problems)
    assert len(problems) > 10 * len(DOCUMENT_NOW["components"]["responses"])
