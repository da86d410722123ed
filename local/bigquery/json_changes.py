"""JSON that is changed: JSON_SET, JSON_REMOVE, JSON_STRIP_NULLS, JSON_ARRAY_APPEND and JSON_ARRAY_INSERT.

DuckDB merges objects and knows no elements of arrays; so JSON is changed here, one path after the other.
"""

import json
import re
from collections.abc import Callable
from typing import Any

from local_bigquery.engine import database
from local_bigquery.errors import BigQueryError
from local_bigquery.sql.dialect import BigQueryDialect
from sqlglot import exp

from local.bigquery.error_places import not_implemented

CHANGE, STRIP = "_cvg_change_json", "_cvg_strip_json"
_STEP = re.compile(
    r"""\.(?P<name>[^.\[\]"' ]+)|\."(?P<quoted>[^"]*)"|\[(?P<index>\d+)\]|\['(?P<key>[^']*)'\]"""
)
CHANGES = {"JSON_SET": "set", "JSON_ARRAY_APPEND": "append", "JSON_ARRAY_INSERT": "insert"}
OPTIONS = {"append_each_element", "create_if_missing", "insert_each_element"}

type Steps = list[str | int]


def install() -> None:
    """Define the functions for the connection that is open, and have calls of them read."""
    connection = database.connection()
    text = ["VARCHAR"]
    connection.create_function(CHANGE, changed, [*text * 5], "VARCHAR", null_handling="special")
    connection.create_function(STRIP, stripped, [*text * 3], "VARCHAR", null_handling="special")
    readers: dict[str, Callable[[list[exp.Expr]], exp.Expr]] = {
        name: _reader(name, change) for name, change in CHANGES.items()
    }
    readers |= {"JSON_REMOVE": _read_remove, "JSON_STRIP_NULLS": _read_strip}
    BigQueryDialect.Parser.FUNCTIONS = {**BigQueryDialect.Parser.FUNCTIONS, **readers}


def changed(kind: str, document: str | None, path: str | None, value: str | None, option: str) -> str | None:
    """Change one place of a document; nothing changes where no place can be at the path."""
    if document is None or path is None:
        return None
    whole = [json.loads(document)]
    steps: Steps = [0, *_steps(path)]
    given = json.loads(value) if value is not None else None
    _change(whole, steps, kind, given, is_on=option == "true")
    return json.dumps(whole[0], ensure_ascii=False, separators=(",", ":")) if whole else "null"


def _steps(path: str) -> Steps:
    steps: Steps = []
    place = 1
    while place < len(path):
        found = _STEP.match(path, place)
        if found is None:
            break
        index = found["index"]
        steps.append(
            int(index) if index is not None else found["name"] or found["quoted"] or found["key"] or ""
        )
        place = found.end()
    if not path.startswith("$") or place != len(path):
        raise ValueError(f"Invalid JSONPath: {path}")
    return steps


def _change(whole: Any, steps: Steps, kind: str, given: Any, *, is_on: bool) -> None:
    *before, last = steps
    makes = kind == "set" and is_on
    holder = whole
    for step, after in zip(before, steps[1:], strict=True):
        is_null = _has(holder, step) and _get(holder, step) is None
        if (makes and _get(holder, step) is None) or (kind == "insert" and is_null and after is last):
            _put(holder, step, [] if isinstance(after, int) else {})
        holder = _get(holder, step)
    if kind == "append":
        if _has(holder, last) and _get(holder, last) is None:
            _put(holder, last, [])
        _insert(_get(holder, last), None, given, is_on=is_on)
    elif kind == "insert":
        _insert(holder, last, given, is_on=is_on)
    elif kind == "remove" and _has(holder, last):
        del holder[last]
    elif makes or (kind == "set" and _has(holder, last)):
        _put(holder, last, given)


def _insert(array: Any, place: str | int | None, given: Any, *, is_on: bool) -> None:
    """Insert a value, or each of its elements, where there is an array; at the end without a place."""
    if isinstance(array, list) and not isinstance(place, str):
        at = len(array) if place is None else place
        array += [None] * (at - len(array))
        array[at:at] = given if is_on and isinstance(given, list) else [given]


def _has(holder: Any, step: str | int) -> bool:
    if isinstance(step, int):
        return isinstance(holder, list) and step < len(holder)
    return isinstance(holder, dict) and step in holder


def _get(holder: Any, step: str | int) -> Any:
    return holder[step] if _has(holder, step) else None


def _put(holder: Any, step: str | int, value: Any) -> None:
    """Put a value to its place, where there can be one."""
    if isinstance(step, int) and isinstance(holder, list):
        holder += [None] * (step + 1 - len(holder))
        holder[step] = value
    elif isinstance(step, str) and isinstance(holder, dict):
        holder[step] = value


def stripped(document: str | None, arrays: str, empty: str) -> str | None:
    """Leave the nulls of a document out, in arrays too, and what is empty then."""
    if document is None:
        return None
    value = _stripped(json.loads(document), arrays=arrays == "true", empty=empty == "true")
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _stripped(value: Any, *, arrays: bool, empty: bool) -> Any:
    if isinstance(value, dict):
        inner = {name: _stripped(one, arrays=arrays, empty=empty) for name, one in value.items()}
        kept: Any = {name: one for name, one in inner.items() if one is not None}
    elif isinstance(value, list):
        each = [_stripped(one, arrays=arrays, empty=empty) for one in value]
        kept = [one for one in each if one is not None] if arrays else each
    else:
        return value
    return None if empty and not kept else kept


def _reader(name: str, change: str) -> Callable[[list[exp.Expr]], exp.Expr]:
    """Read a document and pairs of paths and values, each a change of what the one before gives."""

    def read(arguments: list[exp.Expr]) -> exp.Expr:
        positional, options = _split(arguments)
        if len(positional) < 3 or len(positional) % 2 == 0 or options.keys() - OPTIONS:
            raise BigQueryError("invalidQuery", f"No matching signature for function {name}")
        option = next(iter(options.values()), exp.true())
        result, *pairs = positional
        for path, value in zip(pairs[::2], pairs[1::2], strict=True):
            written = exp.Anonymous(this="bq.main.to_json", expressions=[value])
            is_on = option.copy() if change == "set" else exp.and_(option.copy(), _is_array(value.copy()))
            result = _called(CHANGE, [exp.Literal.string(change), result, path, written, is_on])
        return result

    return read


def _is_array(value: exp.Expr) -> exp.Expr:
    """Ask whether a value is an array of SQL: one of JSON is one element."""
    kind = exp.Anonymous(this="typeof", expressions=[value])
    return exp.Anonymous(this="ends_with", expressions=[kind, exp.Literal.string("[]")])


def _read_remove(arguments: list[exp.Expr]) -> exp.Expr:
    result, *paths = arguments or [exp.null()]
    if not paths:
        raise BigQueryError("invalidQuery", "No matching signature for function JSON_REMOVE")
    for path in paths:
        result = _called(CHANGE, [exp.Literal.string("remove"), result, path, exp.null(), exp.true()])
    return result


def _read_strip(arguments: list[exp.Expr]) -> exp.Expr:
    positional, options = _split(arguments)
    if len(positional) != 1:
        raise not_implemented("JSON_STRIP_NULLS with a path")
    arrays, empty = options.get("include_arrays", exp.true()), options.get("remove_empty", exp.false())
    return _called(STRIP, [positional[0], arrays, empty])


def _split(arguments: list[exp.Expr]) -> tuple[list[exp.Expr], dict[str, exp.Expr]]:
    named = {one.this.name.lower(): one.expression for one in arguments if isinstance(one, exp.Kwarg)}
    return [one for one in arguments if not isinstance(one, exp.Kwarg)], named


def _called(name: str, arguments: list[exp.Expr]) -> exp.Expr:
    texts = [exp.cast(one, exp.DType.VARCHAR, dialect="duckdb") for one in arguments]
    return exp.cast(exp.Anonymous(this=name, expressions=texts), exp.DType.JSON)
