"""FORMAT's `%t`, `%T` and `%p`, and casts with a FORMAT of bytes: values as BigQuery shows them.

A value is written by its type, which is known once types are; of one whose type is not, DuckDB's text stays.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import count

from local_bigquery.errors import BigQueryError
from local_bigquery.sql.rules.typing import BYTES, DECIMALS, FLOATS, TEXT, kind
from sqlglot import exp

from local.bigquery.error_places import not_implemented

Type = exp.DataType.Type
SPECIFIER = re.compile(r"%(?:%|[-+ #0']*(?P<width>\*|\d*)(?:\.(?P<size>\*|\d*))?(?P<kind>[a-zA-Z]))")
INTEGERS = frozenset({Type.BIGINT, Type.INT})
TIMES: dict[exp.DType, str] = {
    Type.DATE: "DATE",
    Type.TIMESTAMPTZ: "TIMESTAMP",
    Type.TIMESTAMP: "DATETIME",
    Type.DATETIME: "DATETIME",
    Type.TIME: "TIME",
}
ENCODINGS = {"ASCII", "UTF-8", "UTF8"}
NUMBERS = INTEGERS | FLOATS | DECIMALS.keys()


def show_values(node: exp.Expr, _: object) -> exp.Expr:
    """Write the arguments of `%t`, `%T`, `%p` and `%P`, and let FORMAT take them for texts."""
    if not isinstance(node, exp.Format) or not (isinstance(node.this, exp.Literal) and node.this.is_string):
        return node
    arguments, place = list(node.expressions), count()

    def specifier(found: re.Match[str]) -> str:
        for star in (found["width"], found["size"]):
            if star == "*":
                next(place)
        if found["kind"] is None:
            return found[0]
        at = next(place)
        write = WRITERS.get(found["kind"])
        written = write(arguments[at]) if write and at < len(arguments) else None
        if written is None:
            return found[0]
        arguments[at] = written
        return f"{found[0][:-1]}s"

    template = exp.Literal.string(SPECIFIER.sub(specifier, node.this.name))
    return exp.Format(this=template, expressions=arguments)


def _in_words(value: exp.Expr) -> exp.Expr | None:
    return _shown(value, value.type, is_literal=False)


def _as_literal(value: exp.Expr) -> exp.Expr | None:
    return _shown(value, value.type, is_literal=True)


def _json(value: exp.Expr) -> exp.Expr | None:
    return exp.cast(value, exp.DType.VARCHAR, dialect="duckdb") if kind(value) is Type.JSON else None


def _json_lines(value: exp.Expr) -> exp.Expr | None:
    return _macro("bq.main._json_pretty", value) if kind(value) is Type.JSON else None


WRITERS: dict[str, Callable[[exp.Expr], exp.Expr | None]] = {
    "t": _in_words,
    "T": _as_literal,
    "p": _json,
    "P": _json_lines,
}


def _shown(
    value: exp.Expr, datatype: exp.DataType | None, *, is_literal: bool, numbers: Iterator[int] | None = None
) -> exp.Expr | None:
    """Write a value of a type; None where the type is not known, or holds one that is not."""
    if isinstance(value, exp.Null):
        return exp.Literal.string("NULL")
    numbers = count() if numbers is None else numbers
    if isinstance(value, exp.Anonymous) and value.name == "row":  # A STRUCT without names.
        parts = [_shown(one, one.type, is_literal=is_literal, numbers=numbers) for one in value.expressions]
        return _listed(parts)
    if is_bytes(value):
        datatype = exp.DataType.build("BYTES", dialect="bigquery")
    if datatype is None:
        return None
    if datatype.this is Type.STRUCT:
        written = _fields(value, datatype, is_literal=is_literal, numbers=numbers)
    elif datatype.this is Type.ARRAY:
        written = _elements(value, datatype, is_literal=is_literal, numbers=numbers)
    else:
        written = _scalar(value, datatype, is_literal=is_literal)
    return written and exp.func("coalesce", written, exp.Literal.string("NULL"))


def _scalar(value: exp.Expr, datatype: exp.DataType, *, is_literal: bool) -> exp.Expr | None:
    one = datatype.this
    if one in TEXT:
        return _macro("bq.main._cvg_quoted", value) if is_literal else value
    if one in FLOATS:
        return _macro("bq.main._cvg_float_literal" if is_literal else "bq.main._cvg_float_shown", value)
    if one in DECIMALS:
        text, name = _macro("bq.main._cvg_numeric_text", value), "NUMERIC"
        return _named("BIGNUMERIC" if one is Type.BIGDECIMAL else name, text) if is_literal else text
    if one in BYTES:
        return _macro("bq.main._cvg_bytes_literal" if is_literal else "bq.main._cvg_bytes_shown", value)
    if one in INTEGERS or one is Type.BOOLEAN:
        return exp.cast(value, exp.DType.VARCHAR, dialect="duckdb")
    if (name := TIMES.get(one, "")) or one is Type.INTERVAL:
        text = (
            _macro("bq.main._interval_string", value) if not name else _macro("bq.main._cvg_time_text", value)
        )
        return _named(name, text) if is_literal and name else text
    if one is Type.JSON and not is_literal:
        return exp.cast(value, exp.DType.VARCHAR, dialect="duckdb")
    return None


def _named(name: str, text: exp.Expr) -> exp.Expr:
    return _concat([exp.Literal.string(f'{name} "'), text, exp.Literal.string('"')])


def _fields(
    value: exp.Expr, datatype: exp.DataType, *, is_literal: bool, numbers: Iterator[int]
) -> exp.Expr | None:
    fields = [field for field in datatype.expressions if isinstance(field, exp.ColumnDef)]
    if len(fields) != len(datatype.expressions):
        return None
    parts = [
        _shown(
            exp.func("struct_extract", value.copy(), exp.Literal.string(field.name)),
            field.args.get("kind"),
            is_literal=is_literal,
            numbers=numbers,
        )
        for field in fields
    ]
    text = _listed(parts)
    is_null = exp.Is(this=value.copy(), expression=exp.null())
    return text and exp.If(this=is_null, true=exp.Literal.string("NULL"), false=text)


def _listed(parts: Sequence[exp.Expr | None]) -> exp.Expr | None:
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    listed: list[exp.Expr] = [exp.Literal.string("STRUCT(" if len(known) == 1 else "(")]
    for place, part in enumerate(known):
        listed += [exp.Literal.string(", "), part] if place else [part]
    return _concat([*listed, exp.Literal.string(")")])


def _elements(
    value: exp.Expr, datatype: exp.DataType, *, is_literal: bool, numbers: Iterator[int]
) -> exp.Expr | None:
    name = exp.to_identifier(f"f{next(numbers)}")
    inner = datatype.expressions[0] if datatype.expressions else None
    written = _shown(exp.column(name), inner, is_literal=is_literal, numbers=numbers)
    if written is None:
        return None
    each = exp.func("list_transform", value, exp.Lambda(this=written, expressions=[name]))
    joined = exp.func("array_to_string", each, exp.Literal.string(", "))
    return _concat([exp.Literal.string("["), joined, exp.Literal.string("]")])


def cast_bytes(node: exp.Expr, _: object) -> exp.Expr:
    """Cast bytes to text and text to bytes by a FORMAT: HEX, BASE64, BASE32, ASCII or UTF-8."""
    if not isinstance(node, exp.Cast) or not isinstance(template := node.args.get("format"), exp.Literal):
        return node
    name, value = template.name.upper(), node.this
    if node.to.this in TEXT and is_bytes(value):
        found = _encoded(value, name)
    elif node.to.this in BYTES:
        found = _decoded(value, name)
    elif node.to.this in TEXT and kind(value) in NUMBERS:
        raise not_implemented("CAST of numbers by a FORMAT")
    else:
        return node
    if found is None:
        raise BigQueryError("invalidQuery", f"Invalid format: {template.name}")
    return exp.func("TRY", found) if isinstance(node, exp.TryCast) else found


def is_bytes(value: exp.Expr) -> bool:
    """Tell whether a value is known to be bytes, a literal of them among others."""
    is_hex = isinstance(value, exp.Anonymous) and value.name.lower() in {"from_hex", "unhex"}
    return is_hex or isinstance(value, exp.ByteString) or kind(value) in BYTES


def _encoded(value: exp.Expr, name: str) -> exp.Expr | None:
    if name in ENCODINGS:
        return exp.Anonymous(this="decode", expressions=[value])
    match name:
        case "HEX":
            return exp.func("lower", exp.Anonymous(this="hex", expressions=[value]))
        case "BASE64":
            return exp.Anonymous(this="base64", expressions=[value])
        case "BASE32":
            return _macro("bq.main.to_base32", value)
    return None


def _decoded(value: exp.Expr, name: str) -> exp.Expr | None:
    if name in ENCODINGS:
        return exp.Anonymous(this="encode", expressions=[value])
    match name:
        case "HEX":
            return exp.Anonymous(this="from_hex", expressions=[value])
        case "BASE64":
            return exp.Anonymous(this="from_base64", expressions=[value])
        case "BASE32":
            return _macro("bq.main.from_base32", value)
    return None


def _macro(name: str, value: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=[value])


def _concat(parts: list[exp.Expr]) -> exp.Expr:
    whole = parts[0]
    for part in parts[1:]:
        whole = exp.DPipe(this=whole, expression=part)
    return exp.Paren(this=whole)
