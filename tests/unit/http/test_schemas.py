import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from common.errors import Violation
from common.http.schemas import pointer, schemas, violations_of

NAMES = sorted(schemas())


def parts(schema: Any) -> Iterator[dict[str, Any]]:
    """Walk through a schema and all schemas inside it, but not into examples."""
    if isinstance(schema, dict):
        yield schema
        for key, value in schema.items():
            if key == "properties":
                for inner in value.values():
                    yield from parts(inner)
            elif key in {"items", "additionalProperties", "propertyNames", "not"}:
                yield from parts(value)
            elif key in {"anyOf", "oneOf", "allOf"}:
                for inner in value:
                    yield from parts(inner)


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_one_of_2020_12_with_a_title_and_a_description(name: str) -> None:
    schema = schemas()[name]
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["title"]
    assert schema["description"].endswith(".")


@pytest.mark.parametrize("name", NAMES)
def test_its_examples_keep_it(name: str) -> None:
    examples = schemas()[name]["examples"]
    assert examples
    for example in examples:
        assert violations_of(name, example) == []


@pytest.mark.parametrize("name", [name for name in NAMES if not name.endswith("_document")])
def test_its_objects_take_no_unknown_members(name: str) -> None:
    for part in parts(schemas()[name]):
        if part.get("type") == "object":
            assert "additionalProperties" in part
            assert part["additionalProperties"] is not True


@pytest.mark.parametrize("name", NAMES)
def test_each_property_is_described(name: str) -> None:
    for part in parts(schemas()[name]):
        for key, member in part.get("properties", {}).items():
            assert member.get("description", "").strip(), f"{name}: {key}"


@pytest.mark.parametrize("name", NAMES)
def test_it_uses_nothing_that_python_reads_differently(name: str) -> None:
    # \d and \w match all of Unicode in Python; $defs would need rewriting in the OpenAPI document.
    text = json.dumps(schemas()[name])
    assert not any(token in text for token in ("\\\\d", "\\\\w", "\\\\s", "$defs", "$id"))


SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "size"],
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z]+$", "minLength": 2},
        "size": {"type": "integer", "minimum": 1},
        "tags": {"type": "array", "items": {"type": ["string", "null"]}, "maxItems": 2, "uniqueItems": True},
        "on": {"type": "string", "format": "date"},
        "at": {"type": "string", "format": "date-time"},
        "a/b~c": {"const": 1},
    },
}


def test_every_violation_is_found_with_its_place() -> None:
    value = {"nam": "x", "size": 0, "tags": ["a", 1, "a"], "a/b~c": 2}
    assert set(violations_of(SCHEMA, value)) == {
        Violation("/nam", "is not known here, did you mean 'name'?"),
        Violation("/name", "is required"),
        Violation("/size", "must be at least 1"),
        Violation("/tags", "must have at most 2 items"),
        Violation("/tags", "must hold each item once"),
        Violation("/tags/1", "must be a string or null"),
        Violation("/a~1b~0c", "must be 1"),
    }


@pytest.mark.parametrize("text", ["ab\n", "AB", "a b", ""])
def test_a_pattern_holds_for_the_whole_text(text: str) -> None:
    assert Violation("/name", "must have the form that its description says") in violations_of(
        SCHEMA, {"name": text, "size": 1}
    )


@pytest.mark.parametrize("text", ["2024-02-30", "20240101", "2024-W01-1", "01.01.2024", "2024-1-1"])
def test_a_date_is_on_the_calendar(text: str) -> None:
    assert violations_of(SCHEMA, {"name": "ab", "size": 1, "on": text}) == [
        Violation("/on", "must be a day, 2026-01-31")
    ]


@pytest.mark.parametrize("text", ["2024-01-01T00:00:00", "0001-01-01T00:00:00+23:59", "now"])
def test_a_moment_has_a_zone(text: str) -> None:
    assert violations_of(SCHEMA, {"name": "ab", "size": 1, "at": text}) == [
        Violation("/at", "must be a time with its zone, 2026-01-31T09:30:00Z")
    ]


def test_true_is_no_number() -> None:
    assert violations_of(SCHEMA, {"name": "ab", "size": True}) == [
        Violation("/size", "must be a whole number")
    ]


def test_a_flood_of_violations_is_cut() -> None:
    assert len(violations_of(SCHEMA, {f"key{n}": n for n in range(50_000)})) == 100


def test_a_value_is_never_repeated_in_a_violation() -> None:
    value = {"name": "S3CRET", "size": "S3CRET", "tags": "S3CRET", "on": "S3CRET", "a/b~c": "S3CRET"}
    assert "S3CRET" not in str(violations_of(SCHEMA, value))


def test_a_pointer_is_escaped_and_never_long() -> None:
    assert pointer("a/b", 0, "c~d") == "/a~1b/0/c~0d"
    assert len(pointer("x" * 10_000)) == 130


def test_a_word_in_other_letters_is_told_the_one_that_is_meant() -> None:
    schema = {"properties": {"status": {"enum": ["ACTIVE", "SUSPENDED"]}}}
    rule = "must be one of ACTIVE, SUSPENDED"
    assert violations_of(schema, {"status": "suspended"}) == [
        Violation("/status", f"{rule}, did you mean 'SUSPENDED'?")
    ]
    assert violations_of(schema, {"status": "s3cr3t"}) == [Violation("/status", rule)]


def test_a_bound_that_is_none_of_the_values_is_told_as_one() -> None:
    schema = {"properties": {"cost": {"type": "number", "exclusiveMinimum": 0}}}
    assert violations_of(schema, {"cost": 0}) == [Violation("/cost", "must be more than 0")]
