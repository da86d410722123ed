"""A compiled pipeline in JSON's types, and back: what a level message carries."""

import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import StrEnum
from functools import cache
from typing import Any, TypeAliasType, get_args, get_origin, get_type_hints

from common.errors import MalformedInput
from common.pipelines.pipeline import Pipeline
from common.pipelines.pointers import escaped

type Json = bool | int | float | str | list[Json] | dict[str, Json] | None


def pipeline_to_json(pipeline: Pipeline) -> dict[str, Json]:
    """Write a pipeline in JSON's types; what has its default value is left out."""
    return _object_to_json(pipeline)


def pipeline_from_json(body: Mapping[str, Json]) -> Pipeline:
    """Read a pipeline; MalformedInput where anything is missing, unknown or of another type."""
    pipeline: Pipeline = _object_from_json(Pipeline, body, "")
    return pipeline


def _object_to_json(value: Any) -> dict[str, Json]:
    return {
        field.name: _to_json(getattr(value, field.name))
        for field in fields(value)
        if getattr(value, field.name) != _default(field)
    }


def _to_json(value: Any) -> Json:
    if is_dataclass(value):
        return _object_to_json(value)
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, list | tuple):
        return [_to_json(item) for item in value]
    if isinstance(value, dict):
        return dict(value)
    plain: Json = value
    return plain


def _object_from_json(kind: Any, body: Any, place: str) -> Any:
    if not isinstance(body, Mapping):
        raise MalformedInput("must be an object", place)
    known = {field.name: field for field in fields(kind)}
    for key in body:
        if key not in known:
            raise MalformedInput("is no key here", f"{place}/{escaped(str(key))}")
    for name, field in known.items():
        if name not in body and _default(field) is MISSING:
            raise MalformedInput("is required", f"{place}/{name}")
    hints = _types_of(kind)
    return kind(**{key: _from_json(hints[key], item, f"{place}/{key}") for key, item in body.items()})


@cache
def _types_of(kind: Any) -> dict[str, Any]:
    """Return the types of a dataclass's fields; to find them out takes most of the reading of a message."""
    return get_type_hints(kind)


def _from_json(kind: Any, value: Any, place: str) -> Any:
    """Read a value of a field's type."""
    if isinstance(kind, TypeAliasType):
        kind = kind.__value__
    if isinstance(kind, types.UnionType):
        return _of_union(get_args(kind), value, place)
    if is_dataclass(kind):
        return _object_from_json(kind, value, place)
    return _of_container(kind, value, place) if get_origin(kind) else _of_scalar(kind, value, place)


def _of_container(kind: Any, value: Any, place: str) -> Any:
    origin, item_kind = get_origin(kind), get_args(kind)[0]
    if origin in (tuple, list) and isinstance(value, list):
        return origin(_from_json(item_kind, item, f"{place}/{index}") for index, item in enumerate(value))
    if origin is dict and isinstance(value, dict):
        return {key: _from_json(str, item, f"{place}/{escaped(key)}") for key, item in value.items()}
    raise MalformedInput("is of another type", place)


def _of_scalar(kind: Any, value: Any, place: str) -> Any:
    if type(value) is kind:
        return value
    if kind is float and type(value) is int:
        return float(value)
    if issubclass(kind, StrEnum) and value in list(kind):
        return kind(value)
    raise MalformedInput("is of another type", place)


def _of_union(kinds: tuple[Any, ...], value: Any, place: str) -> Any:
    if value is None and type(None) in kinds:
        return None
    exact = [kind for kind in kinds if type(value) is kind]
    for kind in exact or [kind for kind in kinds if kind is not type(None)]:
        try:
            return _from_json(kind, value, place)
        except MalformedInput:
            continue
    raise MalformedInput("is of another type", place)


def _default(field: Any) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()
