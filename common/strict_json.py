"""JSON that means one thing only, for all who read what others have written.

    JsonViolation
    ├── NoJson         the grammar is broken
    ├── NamedTwice     an object has a key twice
    ├── NotFinite      NaN, Infinity, or a number that no 64-bit float can hold
    ├── TooManyDigits  a whole number that takes too long to read
    ├── TooDeep        too many levels
    ├── HalfCharacter  a lone surrogate, which is no character
    └── NulCharacter   U+0000, which ends a text for many a program

What each is called to its author is for the readers to say.
"""

import json
import re
from collections.abc import Callable, Iterator
from math import isfinite
from typing import Any

_HALF_CHARACTER = re.compile("[\ud800-\udfff]")


class JsonViolation(ValueError):
    """A text, or a value, is not strict JSON."""


class NoJson(JsonViolation):
    """The text breaks the grammar: how, and where."""

    def __init__(self, error: json.JSONDecodeError) -> None:
        super().__init__(f"{error.msg} at line {error.lineno}, column {error.colno}")


class NamedTwice(JsonViolation):
    """An object has a key twice."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class NotFinite(JsonViolation):
    """A number is none, as it is written; `is_word`: NaN or Infinity."""

    def __init__(self, text: str, *, is_word: bool) -> None:
        super().__init__(text)
        self.is_word = is_word


class TooManyDigits(JsonViolation):
    """A whole number is longer than Python reads."""


class TooDeep(JsonViolation):
    """A value is nested too deeply."""


class HalfCharacter(JsonViolation):
    """A text holds half of a surrogate pair."""


class NulCharacter(JsonViolation):
    """A text holds U+0000."""


def parse(text: str, as_number: Callable[[float], float] = float) -> Any:
    """Parse JSON; `as_number` makes a number of one that is written with a point or an exponent."""
    try:
        return json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_refuse_word,
            parse_float=lambda number: as_number(_finite(number)),
        )
    except json.JSONDecodeError as error:
        raise NoJson(error) from error
    except JsonViolation:
        raise
    except ValueError as error:
        raise TooManyDigits from error
    except RecursionError as error:
        raise TooDeep from error


def check_values(value: Any, max_levels: int, *, scalars_count: bool, takes_nul: bool = False) -> None:
    """Refuse deep nesting and what is no text; `scalars_count`: a plain value is a level of its own.

    `takes_nul`: a text may hold U+0000, where the caller tells its place.
    """
    for number, level in enumerate(_levels(value), start=1):
        if number > max_levels and (scalars_count or any(isinstance(item, dict | list) for item in level)):
            raise TooDeep
        for text in (text for item in level for text in _texts(item)):
            check_text(text, takes_nul=takes_nul)


def check_text(text: str, *, takes_nul: bool = False) -> None:
    """Refuse a text that UTF-8 cannot write, or that holds a NUL."""
    if _HALF_CHARACTER.search(text):
        raise HalfCharacter
    if "\0" in text and not takes_nul:
        raise NulCharacter


def _levels(value: Any) -> Iterator[list[Any]]:
    """Walk without recursion: the nesting is the caller's."""
    level = [value]
    while level:
        yield level
        level = [child for item in level for child in _children(item)]


def _children(item: Any) -> list[Any]:
    if isinstance(item, dict):
        return list(item.values())
    return item if isinstance(item, list) else []


def _texts(item: Any) -> list[str]:
    if isinstance(item, dict):
        return list(item)
    return [item] if isinstance(item, str) else []


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for key, value in pairs:
        if key in members:
            raise NamedTwice(key)
        members[key] = value
    return members


def _refuse_word(name: str) -> None:
    raise NotFinite(name, is_word=True)


def _finite(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise NotFinite(text, is_word=False)
    return number
