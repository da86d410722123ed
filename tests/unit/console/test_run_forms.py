"""The form of a run: a field for each declared parameter, read back in the parameter's own type."""

from typing import Any

import pytest

from common.client.configs import ConfigParameter
from common.console.run_forms import fields_of, values_of


def a_parameter(name: str = "n", type: str = "STRING", **more: Any) -> ConfigParameter:
    plain: dict[str, Any] = {
        "description": "",
        "required": False,
        "secret": False,
        "default": None,
        "allowed": [],
    }
    return plain | {"name": name, "type": type} | more  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("type", "text", "value"),
    [
        ("STRING", " two words ", " two words "),
        ("INT64", " -5 ", -5),
        ("INT64", "five", "five"),
        ("FLOAT64", "1.5e3", 1500.0),
        ("BOOL", "true", True),
        ("BOOL", "perhaps", "perhaps"),
        ("DATE", "2024-01-01", "2024-01-01"),
        ("NUMERIC", "0.10", "0.10"),
        ("TIME", "09:30:00", "09:30:00"),
        ("ARRAY<NUMERIC>", "1\n2.5", ["1", "2.5"]),
        ("ARRAY<INT64>", "1\r\n2\r\n\r\nx", [1, 2, "x"]),
        ("ARRAY<STRING>", "a\nb", ["a", "b"]),
    ],
)
def test_a_value_is_read_in_its_parameters_type_and_what_is_none_stays_text(
    type: str, text: str, value: object
) -> None:
    assert values_of([a_parameter(type=type)], {"parameter.n": text}) == {"n": value}


def test_an_empty_field_gives_nothing_and_what_no_parameter_has_neither() -> None:
    assert values_of([a_parameter()], {"parameter.n": " ", "parameter.m": "1", "m": "1"}) == {}


def test_the_day_comes_first_and_the_interval_is_not_asked_for() -> None:
    names = ("a", "date", "interval_start", "z", "interval_end")
    assert [field.name for field in fields_of([a_parameter(name) for name in names], {})] == [
        "date",
        "a",
        "z",
    ]


def test_a_field_offers_what_is_allowed_and_shows_the_default() -> None:
    [field] = fields_of([a_parameter(allowed=["eu", "us"], default="eu")], {"parameter.n": "us"})
    assert (field.choices, field.placeholder, field.given) == (("eu", "us"), "eu", "us")
    [field] = fields_of([a_parameter(type="BOOL", default=False)], {})
    assert (field.choices, field.placeholder) == (("true", "false"), "false")
    [field] = fields_of([a_parameter(type="ARRAY<STRING>", allowed=["a"], description="Words.")], {})
    assert (field.is_list, field.choices, field.told) == (True, (), "Words. One of: a.")


def test_a_secret_is_typed_unseen_and_never_filled_in_again() -> None:
    [field] = fields_of([a_parameter(secret=True)], {"parameter.n": "hidden"})
    assert (field.input, field.given) == ("password", "")
