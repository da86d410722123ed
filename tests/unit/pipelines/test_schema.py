"""JSON Schema's faults in plain words."""

from typing import Any

import pytest

from common.pipelines.schema import RESERVED_LABELS, schema_violations, validator_for

REFERENCED = {
    "$id": "urn:test:shared",
    "$defs": {"size": {"type": "integer", "minimum": 1, "maximum": 1440}},
}
SCHEMA: dict[str, Any] = {
    "$id": "urn:test",
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "kind"],
    "minProperties": 2,
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 5},
        "kind": {"enum": ["a", "b"]},
        "size": {"$ref": "urn:test:shared#/$defs/size"},
        "ratio": {"type": "number"},
        "is_big": {"type": "boolean"},
        "either": {"type": ["string", "number"]},
        "items": {"type": "array", "minItems": 1, "maxItems": 2, "uniqueItems": True},
        "ids": {"type": "array", "items": {"type": "string", "format": "id"}},
        "labels": {
            "type": "object",
            "maxProperties": 2,
            "propertyNames": {"format": "label key"},
            "additionalProperties": {"type": "string", "format": "label value"},
        },
        "pattern": {"type": "string", "pattern": "^x"},
    },
}


def violations(instance: object) -> list[str]:
    return [str(fault) for fault in schema_violations(validator_for(SCHEMA, REFERENCED), instance)]


def with_(**more: Any) -> dict[str, Any]:
    return {"name": "n", "kind": "a"} | more


def test_what_keeps_the_schema_has_no_violations() -> None:
    assert violations(with_(size=1, ratio=1.5, is_big=True, ids=["a-b_1"], labels={"team": ""})) == []


@pytest.mark.parametrize(
    ("instance", "fault"),
    [
        ([], "/: must be a mapping"),
        (with_(name=1), "/name: must be a string: put it in quotes"),
        (with_(name=True), "/name: must be a string: put it in quotes"),
        (with_(name=None), "/name: must be a string"),
        (with_(name=["a"]), "/name: must be a string"),
        (with_(size="1"), "/size: must be a whole number"),
        (with_(ratio="1"), "/ratio: must be a number"),
        (with_(is_big=1), "/is_big: must be true or false"),
        (with_(either=[]), "/either: must be a string or a number"),
        (with_(items={}), "/items: must be a list"),
        (with_(name=""), "/name: must not be empty"),
        (with_(name="abcdef"), "/name: must have at most 5 characters, it has 6"),
        (with_(kind="c"), "/kind: must be one of a, b"),
        (with_(size=0), "/size: must be at least 1"),
        (with_(size=9999), "/size: must be at most 1,440"),
        (with_(items=[]), "/items: must not be empty"),
        (with_(items=[1, 2, 3]), "/items: must have at most 2 items, it has 3"),
        (with_(items=[1, 1]), "/items: must not list anything twice"),
        (with_(ids=["a", "A"]), "/ids/1: must be lower-case letters, digits, _ and -, begin with a letter"),
        (with_(labels={"a": "1", "b": "2", "c": "3"}), "/labels: must have at most 2 keys, it has 3"),
        (with_(labels={"A": "1"}), "/labels/A: the name must be lower-case letters"),
        (with_(labels={"a": "X"}), "/labels/a: must be lower-case letters, digits, _ and -, at most 63"),
        (with_(pattern="y"), "/pattern: must have the form that its description says"),
        (with_(nam=1), "/nam: is no key here; did you mean name?"),
        (with_(zzz=1), "/zzz: is no key here; known are name, kind, size"),
        (with_(**{"a/b~c": 1}), "/a~1b~0c: is no key here"),
        (with_(**{"<<": 1}), "/<<: is the merge key of YAML, which is not taken: write the keys out"),
        ({"name": "n"}, "/kind: is required"),
    ],
)
def test_a_broken_rule_is_told_in_plain_words(instance: object, fault: str) -> None:
    assert any(found.startswith(fault) for found in violations(instance)), violations(instance)


def test_all_violations_are_told_and_each_once() -> None:
    assert violations({"x": 1, "y": 2, "size": 0}) == [
        "/x: is no key here; known are " + ", ".join(SCHEMA["properties"]),
        "/y: is no key here; known are " + ", ".join(SCHEMA["properties"]),
        "/name: is required",
        "/kind: is required",
        "/size: must be at least 1",
    ]


def test_the_place_of_an_instance_comes_first_in_its_pointers() -> None:
    found = schema_violations(validator_for(SCHEMA, REFERENCED), with_(name=1), ("steps", 3, "config"))
    assert found[0].pointer == "/steps/3/config/name"


@pytest.mark.parametrize("key", RESERVED_LABELS)
def test_the_platforms_own_labels_are_not_the_tenants_to_set(key: str) -> None:
    assert "none of the platform's own" in violations(with_(labels={key: "x"}))[0]
    assert violations(with_(labels={f"{key}s": "x"})) == []


@pytest.mark.parametrize(
    ("cron", "is_right"),
    [
        ("30 5 * * 1-5", True),
        ("  30\t5 *  * 1-5 ", True),
        (" @daily ", True),
        ("* * * *", False),
        ("* * * * * *", False),
        ("", False),
    ],
)
def test_a_cron_expression_has_five_fields(cron: str, is_right: bool) -> None:
    validator = validator_for({"$id": "urn:cron", "type": "string", "format": "cron"})
    assert (schema_violations(validator, cron) == []) is is_right


@pytest.mark.parametrize(
    ("key", "known", "meant"),
    [
        ("tasks", ("steps", "tests"), "steps"),
        ("Type", ("id", "ps_type"), "ps_type"),
        ("needs", ("id", "depends_on"), "depends_on"),
        ("sql", ("source_query",), "source_query"),
        ("destinationTable", ("target_table",), "target_table"),
        ("tests", ("checks", "config"), "checks"),
    ],
)
def test_a_key_of_another_tool_is_told_what_it_is_called_here(
    key: str, known: tuple[str, ...], meant: str
) -> None:
    properties: dict[str, dict[str, str]] = {name: {} for name in known}
    schema = {"$id": "urn:x", "type": "object", "additionalProperties": False, "properties": properties}
    (violation,) = schema_violations(validator_for(schema), {key: 1})
    assert violation.rule == f"is no key here; did you mean {meant}?"


@pytest.mark.parametrize(
    ("given", "meant"),
    [("INTEGER", "INT64"), ("int", "INT64"), ("varchar", "STRING"), ("boolean", "BOOL"), ("STRNG", "STRING")],
)
def test_a_word_that_is_none_of_those_is_told_the_one_that_is_meant(given: str, meant: str) -> None:
    validator = validator_for({"$id": "urn:test:word", "enum": ["STRING", "INT64", "BOOL"]})
    (told,) = schema_violations(validator, given)
    assert told.rule == f"must be one of STRING, INT64, BOOL; did you mean {meant}?"
    (far,) = schema_violations(validator, "GEOMETRY")
    assert far.rule == "must be one of STRING, INT64, BOOL"


def test_what_must_be_more_than_a_bound_is_told_so() -> None:
    validator = validator_for({"$id": "urn:test:bound", "exclusiveMinimum": 0})
    assert [told.rule for told in schema_violations(validator, -1)] == ["must be more than 0"]


@pytest.mark.parametrize(
    ("cron", "told"),
    [
        ("0 5 * *", "; it has 4"),
        ("0 0 5 * * *", "; it has 6, and seconds and years are none of them"),
        ("CRON_TZ=Europe/Berlin 0 5 * * *", "; a time zone stands in `timezone`"),
        ("", "such as @daily"),
    ],
)
def test_a_cron_of_another_tool_is_told_what_it_has_too_much(cron: str, told: str) -> None:
    schema = {"$id": "urn:test:cron", "properties": {"cron": {"type": "string", "format": "cron"}}}
    (violation,) = schema_violations(validator_for(schema), {"cron": cron})
    assert violation.rule.endswith(told)
