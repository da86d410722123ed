"""Strict JSON: one meaning or none. Its readers' own tests say what each fault is called."""

import pytest

from common import strict_json


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{"a": 1,}', strict_json.NoJson),
        ('{"a": 1, "a": 1}', strict_json.NamedTwice),
        ("NaN", strict_json.NotFinite),
        ("1e999", strict_json.NotFinite),
        ("9" * 5000, strict_json.TooManyDigits),
        ("[" * 100_000, strict_json.TooDeep),
    ],
)
def test_what_has_two_meanings_or_none_is_refused(text: str, fault: type[Exception]) -> None:
    with pytest.raises(fault):
        strict_json.parse(text)


@pytest.mark.parametrize("value", ["\ud800", {"\udfff": 1}, [[{"a": "b\ud83d"}]]])
def test_half_of_a_character_is_refused_wherever_it_is(value: object) -> None:
    with pytest.raises(strict_json.HalfCharacter):
        strict_json.check_values(value, 9, scalars_count=True)


@pytest.mark.parametrize("value", ["\0", {"a\0b": 1}, [[{"a": "b\0"}]]])
def test_a_nul_is_refused_wherever_it_is(value: object) -> None:
    with pytest.raises(strict_json.NulCharacter):
        strict_json.check_values(value, 9, scalars_count=True)


@pytest.mark.parametrize(("value", "levels"), [(1, 1), ([], 1), ([1], 2), ({"a": [1]}, 3), ([[[]]], 3)])
def test_a_plain_value_is_a_level_where_it_counts_as_one(value: object, levels: int) -> None:
    strict_json.check_values(value, levels, scalars_count=True)
    with pytest.raises(strict_json.TooDeep):
        strict_json.check_values([value], levels, scalars_count=True)


def test_a_plain_value_in_the_innermost_list_is_no_level_where_it_counts_as_none() -> None:
    strict_json.check_values([[1]], 2, scalars_count=False)
    with pytest.raises(strict_json.TooDeep):
        strict_json.check_values([[[]]], 2, scalars_count=False)
