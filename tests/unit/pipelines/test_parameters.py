"""Parameters: typed, bound, and nothing that was not declared."""

from datetime import date
from typing import Any

import pytest

from common.errors import InvalidInput
from common.pipelines.parameters import bind_parameters, declare_parameters, run_date_of
from common.pipelines.pipeline import BoundParameter, Parameter, SealedValue

TODAY = date(2026, 3, 15)
DATE = Parameter(name="date", type="DATE")
SEALED = SealedValue(key_version="k1", data="AAAA")


def bound(given: dict[str, Any], *declared: Parameter) -> dict[str, Any]:
    """Bind, and return the values by name."""
    return {item.name: item.value for item in bind_parameters((*declared, DATE), given, TODAY)}


def violations(given: dict[str, Any], *declared: Parameter) -> list[str]:
    with pytest.raises(InvalidInput) as refused:
        bind_parameters((*declared, DATE), given, TODAY)
    return [str(fault) for fault in refused.value.violations]


def one(type_name: str, **more: Any) -> Parameter:
    return Parameter(name="x", type=type_name, **more)


@pytest.mark.parametrize(
    ("type_name", "given", "value"),
    [
        ("STRING", "größe 🚀", "größe 🚀"),
        ("STRING", "", ""),
        ("STRING", "'; DROP TABLE t; --", "'; DROP TABLE t; --"),
        ("INT64", 2**63 - 1, 2**63 - 1),
        ("INT64", -(2**63), -(2**63)),
        ("FLOAT64", 1, 1.0),
        ("FLOAT64", -0.25, -0.25),
        ("BOOL", False, False),
        ("DATE", "2024-02-29", "2024-02-29"),
        ("TIMESTAMP", "2024-01-01T00:30:00+02:00", "2023-12-31T22:30:00Z"),
        ("TIMESTAMP", "2024-01-01 00:30:00.5Z", "2024-01-01T00:30:00.500000Z"),
        ("TIMESTAMP", "2024-01-01T00:30Z", "2024-01-01T00:30:00Z"),
        ("DATETIME", "2024-02-29T09:30:00", "2024-02-29T09:30:00"),
        ("DATETIME", "2024-02-29 09:30", "2024-02-29T09:30:00"),
        ("DATETIME", "2024-02-29t09:30:00.25", "2024-02-29T09:30:00.250000"),
        ("TIME", "09:30:00", "09:30:00"),
        ("TIME", "23:59:59.000001", "23:59:59.000001"),
        ("TIME", "00:00", "00:00:00"),
        ("NUMERIC", 1, "1"),
        ("NUMERIC", 0.1, "0.1"),
        ("NUMERIC", 1e22, "10000000000000000000000"),
        ("NUMERIC", 10.50, "10.5"),
        ("NUMERIC", "10.50", "10.5"),
        ("NUMERIC", "-0.000000001", "-0.000000001"),
        ("NUMERIC", "99999999999999999999999999999.999999999", "99999999999999999999999999999.999999999"),
        ("NUMERIC", "1e3", "1000"),
        ("NUMERIC", ".5", "0.5"),
        ("NUMERIC", "-0.0", "0"),
        ("NUMERIC", "0e-999", "0"),
        ("BYTES", "AP8=", "AP8="),
        ("BYTES", "", ""),
        ("ARRAY<STRING>", ["a", "b"], ["a", "b"]),
        ("ARRAY<NUMERIC>", [1, "2.50"], ["1", "2.5"]),
        ("ARRAY<DATETIME>", ["2024-01-01 00:00"], ["2024-01-01T00:00:00"]),
        ("ARRAY<INT64>", [], []),
        ("ARRAY<FLOAT64>", [1, 2.5], [1.0, 2.5]),
        ("ARRAY<DATE>", ["2024-01-01"], ["2024-01-01"]),
        ("ARRAY<TIMESTAMP>", ["2024-01-01T00:00:00Z"], ["2024-01-01T00:00:00Z"]),
    ],
)
def test_a_value_of_its_type_is_bound(type_name: str, given: Any, value: Any) -> None:
    result = bound({"x": given}, one(type_name))["x"]
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    ("type_name", "given", "rule"),
    [
        ("STRING", 1, "must be a string (STRING): put it in quotes"),
        ("STRING", True, "must be a string"),
        ("STRING", ["a"], "must be a string"),
        ("STRING", "x" * 65_537, "must have at most 65,536 characters"),
        ("STRING", "\ud800", "holds half of a surrogate pair"),
        ("INT64", 2**63, "must be a whole number from -2^63 to 2^63-1"),
        ("INT64", -(2**63) - 1, "must be a whole number from"),
        ("INT64", 1.0, "must be a whole number (INT64)"),
        ("INT64", "1", "must be a whole number (INT64)"),
        ("INT64", True, "must be a whole number (INT64)"),
        ("FLOAT64", float("nan"), "must be a finite number"),
        ("FLOAT64", float("inf"), "must be a finite number"),
        ("FLOAT64", 10**400, "must be a finite number"),
        ("FLOAT64", "1.5", "must be a number (FLOAT64)"),
        ("FLOAT64", False, "must be a number (FLOAT64)"),
        ("BOOL", 0, "must be true or false (BOOL)"),
        ("BOOL", "true", "must be true or false (BOOL)"),
        ("DATE", "2024-02-30", "must be a date, YYYY-MM-DD (DATE)"),
        ("DATE", "20240101", "must be a date"),
        ("DATE", "2024-01-01T00:00:00Z", "must be a date"),
        ("DATE", "2024-1-1", "must be a date"),
        ("DATE", "2024-01-01\n", "must be a date"),
        ("DATE", 20240101, "must be a date"),
        ("TIMESTAMP", "2024-01-01T00:00:00", "must be a time with its zone"),
        ("TIMESTAMP", "2024-01-01T25:00:00Z", "must be a time with its zone"),
        ("TIMESTAMP", "0001-01-01T00:00:00+14:00", "must be a time with its zone"),
        ("TIMESTAMP", "2024-01-01T00:00:00.1234567Z", "must be a time with its zone"),
        ("TIMESTAMP", 1704067200, "must be a time with its zone"),
        ("DATETIME", "2024-01-01T00:00:00Z", "must be a day and a time without a zone"),
        ("DATETIME", "2024-01-01", "must be a day and a time without a zone"),
        ("DATETIME", "2024-02-30T00:00:00", "must be a day and a time without a zone"),
        ("DATETIME", "2024-01-01T24:30:00", "must be a day and a time without a zone"),
        ("DATETIME", 1704067200, "must be a day and a time without a zone"),
        ("TIME", "9:30", "must be a time of day, such as '09:30:00'"),
        ("TIME", "25:00:00", "must be a time of day, such as '09:30:00'"),
        ("TIME", "09:30:00+01:00", "must be a time of day, such as '09:30:00'"),
        ("TIME", 34200, "must be a time of day, such as '09:30:00'"),
        ("NUMERIC", True, "must be a decimal number"),
        ("NUMERIC", "NaN", "must be a decimal number"),
        ("NUMERIC", float("inf"), "must be a decimal number"),
        ("NUMERIC", "1_000", "must be a decimal number"),
        ("NUMERIC", " 1", "must be a decimal number"),
        ("NUMERIC", "\u0663", "must be a decimal number"),
        ("NUMERIC", "1e9999", "must be a decimal number"),
        ("NUMERIC", "1" * 101, "must be a decimal number"),
        ("NUMERIC", 10**29, "must have at most 29 digits before the point and 9 behind it"),
        ("NUMERIC", "1e999", "must have at most 29 digits before the point and 9 behind it"),
        ("NUMERIC", "0.0000000001", "must have at most 29 digits before the point and 9 behind it"),
        ("BYTES", "AP8", "must be base64"),
        ("BYTES", "AP_-", "must be base64"),
        ("BYTES", "größe", "must be base64"),
        ("BYTES", ["AP8="], "must be base64"),
        ("BYTES", "AAAA" * 16_385, "must be base64 of at most 65,536 characters"),
        ("ARRAY<NUMERIC>", [1, "x"], "element 1 must be a decimal number"),
        ("ARRAY<INT64>", 1, "must be a list of INT64"),
        ("ARRAY<INT64>", [1, "2"], "element 1 must be a whole number"),
        ("ARRAY<STRING>", ["a", None], "element 1 must be a string"),
        ("ARRAY<STRING>", [["a"]], "element 0 must be a string"),
        ("ARRAY<BOOL>", [True] * 10_001, "must have at most 10,000 elements"),
    ],
)
def test_a_value_of_another_type_is_refused(type_name: str, given: Any, rule: str) -> None:
    assert len(violations({"x": given}, one(type_name))) == 1
    assert f"/x: {rule}" in violations({"x": given}, one(type_name))[0]


def test_what_is_not_given_is_the_default_or_null_or_an_empty_array() -> None:
    declared = (
        Parameter(name="a", type="STRING", default="eu"),
        Parameter(name="b", type="INT64"),
        Parameter(name="c", type="ARRAY<INT64>"),
        Parameter(name="d", type="ARRAY<INT64>", default=[1]),
        Parameter(name="e", type="BOOL", default=False),
    )
    assert bound({}, *declared) == {"a": "eu", "b": None, "c": [], "d": [1], "e": False, "date": "2026-03-15"}


def test_null_is_a_value_where_nothing_is_required() -> None:
    assert bound({"x": None}, one("STRING", default="eu"))["x"] is None
    assert bound({"x": None}, one("ARRAY<STRING>", default=["eu"]))["x"] == []
    assert violations({"x": None}, one("STRING", required=True)) == ["/x: must not be null"]


def test_what_is_required_must_be_given() -> None:
    assert violations({}, one("INT64", required=True)) == ["/x: is required (INT64)"]


def test_only_allowed_values_are_bound_in_arrays_too() -> None:
    allowed = ("eu", "us")
    assert bound({"x": "us"}, one("STRING", allowed=allowed))["x"] == "us"
    assert violations({"x": "asia"}, one("STRING", allowed=allowed)) == ["/x: must be one of eu, us"]
    assert bound({"x": ["us", "eu"]}, one("ARRAY<STRING>", allowed=allowed))["x"] == ["us", "eu"]
    assert violations({"x": ["us", "asia"]}, one("ARRAY<STRING>", allowed=allowed)) == [
        "/x: must be one of eu, us"
    ]


def test_a_decimal_number_is_one_of_those_allowed_however_it_is_written() -> None:
    declared, violations_ = declare_parameters({"x": {"type": "NUMERIC", "allowed": [0.5, "1.00"]}})
    assert not violations_
    assert bind_parameters(declared, {"x": 1}, TODAY)[1].value == "1"
    assert bind_parameters(declared, {"x": "0.50"}, TODAY)[1].value == "0.5"
    with pytest.raises(InvalidInput):
        bind_parameters(declared, {"x": 2}, TODAY)


def test_the_date_is_the_callers_then_the_files_then_todays() -> None:
    with_default = Parameter(name="date", type="DATE", default="2020-01-01")
    assert bind_parameters((with_default,), {"date": "2024-01-01"}, TODAY)[0].value == "2024-01-01"
    assert bind_parameters((with_default,), {}, TODAY)[0].value == "2020-01-01"
    assert bind_parameters((DATE,), {}, TODAY)[0].value == "2026-03-15"
    assert violations({"date": None}) == ["/date: must not be null"]


def test_the_runs_date_is_the_one_that_is_bound() -> None:
    assert run_date_of(bind_parameters((DATE,), {"date": "2024-01-01"}, TODAY), TODAY) == date(2024, 1, 1)
    assert run_date_of(bind_parameters((DATE,), {}, TODAY), TODAY) == TODAY
    assert run_date_of((), TODAY) == TODAY


@pytest.mark.parametrize("name", ["tenant_id", "project_id", "trigger_by", "a/b", ""])
def test_a_key_that_nobody_declared_is_refused(name: str) -> None:
    assert violations({name: "victim"})[0].startswith(
        f"/{name.replace('/', '~1')}: is no parameter of this pipeline;"
    )


def test_a_key_that_is_nearly_a_parameter_is_told_which() -> None:
    assert violations({"dat": "2024-01-01"}) == ["/dat: is no parameter of this pipeline; did you mean date?"]


def test_all_violations_are_told_at_once_and_parameters_come_in_order() -> None:
    declared = (Parameter(name="b", type="INT64", required=True), Parameter(name="a", type="BOOL"))
    assert len(violations({"a": 1, "date": "x", "other": 2}, *declared)) == 4
    result = bind_parameters((*declared, DATE), {"b": 1}, TODAY)
    assert result == (
        BoundParameter(name="a", type="BOOL", value=None),
        BoundParameter(name="b", type="INT64", value=1),
        BoundParameter(name="date", type="DATE", value="2026-03-15"),
    )


def test_a_secret_is_bound_as_it_was_sealed() -> None:
    assert bound({"x": SEALED}, one("STRING", secret=True, required=True))["x"] == SEALED
    assert bound({"x": None}, one("STRING", secret=True))["x"] is None
    assert violations({}, one("STRING", secret=True, required=True)) == ["/x: is required (STRING)"]


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        (["s3cr3t"], "must be a string (STRING): put it in quotes"),
        ("s3cr3t" * 20_000, "must have at most 65,536 characters, it has 120,000"),
        ("s3cr3t", "is secret, and was not sealed"),
    ],
)
def test_a_secret_that_nobody_has_sealed_is_refused_without_being_told(given: Any, rule: str) -> None:
    assert violations({"x": given}, one("STRING", secret=True)) == [f"/x: {rule}"]


def test_a_sealed_value_is_not_bound_to_a_parameter_that_is_shown() -> None:
    assert violations({"x": SEALED}, one("STRING")) == ["/x: is not secret any more: give it again"]


def test_a_bound_value_shows_nothing_of_itself() -> None:
    assert "s3cr3t" not in repr(BoundParameter(name="x", type="STRING", value="s3cr3t"))


def declaration_faults(declared: dict[str, Any]) -> list[str]:
    return [str(fault) for fault in declare_parameters(declared)[1]]


def test_a_declaration_is_read_and_the_date_is_there_by_itself() -> None:
    parameters, broken = declare_parameters(
        {
            "since": {"type": "TIMESTAMP", "default": "2024-01-01T00:00:00+01:00"},
            "regions": {
                "type": "ARRAY<STRING>",
                "default": ["eu"],
                "allowed": ["eu", "us"],
                "description": "Where.",
            },
            "limit": {"type": "INT64", "required": True},
            "pepper": {"type": "STRING", "required": True, "secret": True},
            "salt": {"type": "STRING", "secret": False, "default": "no secret"},
        }
    )
    assert broken == []
    assert parameters == (
        Parameter(name="date", type="DATE", description="The day that the run is for."),
        Parameter(name="limit", type="INT64", required=True),
        Parameter(name="pepper", type="STRING", required=True, secret=True),
        Parameter(
            name="regions", type="ARRAY<STRING>", description="Where.", default=["eu"], allowed=("eu", "us")
        ),
        Parameter(name="salt", type="STRING", default="no secret"),
        Parameter(name="since", type="TIMESTAMP", default="2023-12-31T23:00:00Z"),
    )


def test_the_date_can_be_declared_again_with_a_default() -> None:
    parameters, broken = declare_parameters({"date": {"type": "DATE", "default": "2024-01-01"}})
    assert (parameters, broken) == ((Parameter(name="date", type="DATE", default="2024-01-01"),), [])


@pytest.mark.parametrize(
    ("declared", "fault"),
    [
        (
            {"date": {"type": "STRING"}},
            "/parameters/date/type: must be DATE: it is the day that the run is for",
        ),
        ({"tenant_id": {"type": "STRING"}}, "/parameters/tenant_id: is the platform's own name"),
        ({"x": {"type": "INT64", "default": "1"}}, "/parameters/x/default: must be a whole number (INT64)"),
        (
            {"x": {"type": "DATE", "default": "today"}},
            "/parameters/x/default: must be a date, YYYY-MM-DD (DATE)",
        ),
        (
            {"x": {"type": "STRING", "allowed": ["a", 1]}},
            "/parameters/x/allowed/1: must be a string (STRING)",
        ),
        (
            {"x": {"type": "ARRAY<INT64>", "allowed": [[1]]}},
            "/parameters/x/allowed/0: must be a whole number",
        ),
        (
            {"x": {"type": "STRING", "default": "c", "allowed": ["a", "b"]}},
            "/parameters/x/default: must be one of a, b",
        ),
        (
            {"x": {"type": "BOOL", "default": True, "required": True}},
            "/parameters/x/required: contradicts the default",
        ),
        (
            {"x": {"type": "STRING", "secret": True, "default": "s3cr3t"}},
            "/parameters/x/default: stands in the file for all to read: a secret parameter has no default",
        ),
        (
            {"x": {"type": "STRING", "secret": True, "default": None}},
            "/parameters/x/default: stands in the file",
        ),
        (
            {"x": {"type": "STRING", "secret": True, "allowed": ["s3cr3t"]}},
            "/parameters/x/allowed: stands in the file for all to read: a secret parameter has no allowed",
        ),
        (
            {"x": {"type": "FLOAT64", "secret": True}},
            "/parameters/x/type: must be one of STRING, INT64, ARRAY<STRING>, ARRAY<INT64> for a secret",
        ),
        (
            {"date": {"type": "DATE", "secret": True}},
            "/parameters/date/secret: must not be true: the day that the run is for is shown",
        ),
    ],
)
def test_a_declaration_that_contradicts_itself_is_refused(declared: dict[str, Any], fault: str) -> None:
    assert len(declaration_faults(declared)) == 1
    assert declaration_faults(declared)[0].startswith(fault)
