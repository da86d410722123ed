"""Dataclasses in JSON's types, and back: a pipeline and its run, as a level message carries them.

A dataclass that is one of several at its place has a `KIND`, and says it as "kind".
"""

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cache, partial
from typing import Any, TypeAliasType, get_args, get_origin, get_type_hints

from common.errors import MalformedInput
from common.json_pointers import escaped
from common.times import from_rfc3339, to_rfc3339

type Json = bool | int | float | str | list[Json] | dict[str, Json] | None
type Reader = Callable[[Any, str], Any]
"""Reads a value at a place; each type's is made once, for a message is read at every level of every run."""

TIMES: dict[Any, Callable[[str], Any]] = {datetime: from_rfc3339, date: date.fromisoformat}


def to_json(value: Any) -> dict[str, Json]:
    """Write a dataclass in JSON's types; what has its default value is left out."""
    kind: Any = type(value)
    return _tag(kind) | {
        name: _to_json(item)
        for name, default in _defaults(kind).items()
        if (item := getattr(value, name)) != default
    }


def from_json[T](kind: type[T], body: Any) -> T:
    """Read a dataclass; MalformedInput where anything is missing, unknown or of another type."""
    hashable: Any = kind
    value: T = _reader(hashable)(body, "")
    return value


def _to_json(value: Any) -> Json:
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, list | tuple):
        return [_to_json(item) for item in value]
    if isinstance(value, dict):
        return dict(value)
    if isinstance(value, date):
        return to_rfc3339(value) if isinstance(value, datetime) else value.isoformat()
    if is_dataclass(value):
        return to_json(value)
    plain: Json = value
    return plain


def _tag(kind: Any) -> dict[str, Json]:
    return {"kind": kind.KIND} if hasattr(kind, "KIND") else {}


@cache
def _defaults(kind: Any) -> dict[str, Any]:
    """Return the default of each field, MISSING where it has none."""
    return {
        field.name: field.default if field.default_factory is MISSING else field.default_factory()
        for field in fields(kind)
    }


@cache
def _reader(kind: Any) -> Reader:
    """Make what reads a value of a field's type."""
    if isinstance(kind, TypeAliasType):
        kind = kind.__value__
    if isinstance(kind, types.UnionType):
        if tagged := {each.KIND: _reader(each) for each in get_args(kind) if hasattr(each, "KIND")}:
            return partial(_of_kinds, tagged)
        readers = [(each, _reader(each)) for each in get_args(kind) if each is not type(None)]
        return partial(_of_union, readers, type(None) in get_args(kind))
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        return partial(_of_object, kind, {field.name: _reader(hints[field.name]) for field in fields(kind)})
    if kind in TIMES:
        return partial(_of_text, TIMES[kind])
    if not get_origin(kind):
        return partial(_of_scalar, kind)
    if get_origin(kind) is dict:
        return partial(_of_mapping, _reader(get_args(kind)[1]))
    return partial(_of_sequence, get_origin(kind), get_args(kind)[0])


def _of_kinds(readers: Mapping[str, Reader], body: Any, place: str) -> Any:
    if not isinstance(body, Mapping):
        raise MalformedInput("must be an object", place)
    kind = body.get("kind")
    if not isinstance(kind, str) or kind not in readers:
        raise MalformedInput(f"must be one of {', '.join(readers)}", f"{place}/kind")
    return readers[kind](body, place)


def _of_object(kind: Any, readers: Mapping[str, Reader], body: Any, place: str) -> Any:
    if not isinstance(body, Mapping):
        raise MalformedInput("must be an object", place)
    tag = _tag(kind)
    if tag and body.get("kind") != tag["kind"]:
        raise MalformedInput(f"is no {tag['kind']}", f"{place}/kind")
    for key in body:
        if key not in readers and key not in tag:
            raise MalformedInput("is no key here", f"{place}/{escaped(str(key))}")
    for name, default in _defaults(kind).items():
        if default is MISSING and name not in body:
            raise MalformedInput("is required", f"{place}/{name}")
    return kind(**{key: readers[key](item, f"{place}/{key}") for key, item in body.items() if key not in tag})


def _of_sequence(kind: Any, item_kind: Any, value: Any, place: str) -> Any:
    if not isinstance(value, list):
        raise MalformedInput("is of another type", place)
    read = _reader(item_kind)  # Asked for here: a dataclass can hold a list of its own kind.
    return kind([read(item, f"{place}/{index}") for index, item in enumerate(value)])


def _of_mapping(read: Reader, value: Any, place: str) -> Any:
    if not isinstance(value, dict):
        raise MalformedInput("is of another type", place)
    return {key: read(item, f"{place}/{escaped(key)}") for key, item in value.items()}


def _of_scalar(kind: Any, value: Any, place: str) -> Any:
    if type(value) is kind:
        return value
    if kind is float and type(value) is int:
        return float(value)
    if issubclass(kind, StrEnum) and value in list(kind):
        return kind(value)
    raise MalformedInput("is of another type", place)


def _of_text(parse: Callable[[str], Any], value: Any, place: str) -> Any:
    try:
        return parse(_of_scalar(str, value, place))
    except ValueError as error:
        raise MalformedInput("is of another type", place) from error


def _of_union(readers: list[tuple[Any, Reader]], takes_none: bool, value: Any, place: str) -> Any:
    if value is None and takes_none:
        return None
    exact = [(kind, read) for kind, read in readers if type(value) is kind]
    for _, read in exact or readers:
        try:
            return read(value, place)
        except MalformedInput:
            continue
    raise MalformedInput("is of another type", place)
