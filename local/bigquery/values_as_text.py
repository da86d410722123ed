"""Values as text and as JSON, and text as values: DuckDB has its own ways of both."""

from collections.abc import Iterator
from itertools import count

from local_bigquery.catalog import tables
from local_bigquery.engine import database
from local_bigquery.engine.types import bigquery_type
from local_bigquery.errors import BigQueryError
from local_bigquery.sql.rules.typing import BYTES, DECIMALS, FLOATS, TEXT, kind
from local_bigquery.sql.translate import Context
from sqlglot import exp

from local.bigquery.error_places import not_implemented
from local.bigquery.sql_files import sql
from local.bigquery.unnests import defined, sources

Type = exp.DataType.Type
Writers = dict[exp.DType, str]
IN_JSON: Writers = {
    Type.TIMESTAMPTZ: "bq.main._cvg_json_timestamp",
    **dict.fromkeys((Type.TIMESTAMP, Type.DATETIME), "bq.main._cvg_json_datetime"),
    **dict.fromkeys(BYTES, "base64"),
}
IN_JSON_TEXT: Writers = IN_JSON | {
    **dict.fromkeys((Type.BIGINT, Type.INT), "bq.main._cvg_json_integer"),
    **dict.fromkeys(DECIMALS, "bq.main._cvg_json_numeric"),
    **dict.fromkeys(FLOATS, "bq.main._cvg_json_float"),
}
IN_WIDE_JSON: Writers = IN_JSON_TEXT | {
    **dict.fromkeys(DECIMALS, "bq.main._cvg_json_wide_numeric"),
    **dict.fromkeys(FLOATS, "bq.main._cvg_json_float"),
}
WIDE = "stringify_wide_numbers"
WRITERS = {"bq.main.to_json": IN_JSON, "bq.main.to_json_string": IN_JSON_TEXT}
"""What writes a type in TO_JSON, and in TO_JSON_STRING."""

TIMES = frozenset({Type.TIMESTAMPTZ, Type.TIMESTAMP, Type.DATETIME, Type.TIME})
READERS = {Type.BIGINT: "integer", Type.INT: "integer", Type.BOOLEAN: "bool"}

Field = tuple[str, exp.DataType | None]


def install() -> None:
    """Define the macros of these rules for the connection that is open."""
    database.execute(sql("values_as_text"))


def spell_json(tree: exp.Expr, _: Context) -> exp.Expr:
    """Write each value in JSON as its type is written; it comes once types are known."""
    for call in list(tree.find_all(exp.Anonymous)):
        if (writers := WRITERS.get(call.name.lower())) and call.expressions:
            value = call.expressions[0]
            if _asks_for_wide(call):
                writers = IN_WIDE_JSON
            fields = _fields(value)
            value.replace(
                _struct(value, fields, writers)
                if fields
                else _written(value.copy(), value.type, writers, count())
            )
    return tree


def _asks_for_wide(call: exp.Anonymous) -> bool:
    """Tell whether TO_JSON is to write wide numbers as texts, and leave the argument out that says so."""
    option = call.expressions[1] if call.name.lower() == "bq.main.to_json" and call.expressions[1:] else None
    if option is None:
        return False
    if not (isinstance(option, exp.Kwarg) and option.this.name.lower() == WIDE):
        raise BigQueryError("invalidQuery", "No matching signature for function TO_JSON")
    if not isinstance(option.expression, exp.Boolean):
        raise not_implemented(f"TO_JSON with {WIDE} that is no TRUE or FALSE")
    call.set("expressions", call.expressions[:1])
    return bool(option.expression.this)


def spell_numbers(node: exp.Expr, _: object) -> exp.Expr:
    """Cast a FLOAT64 or a NUMERIC to text without zeros at its end."""
    if isinstance(node, exp.Cast) and node.to.this in TEXT:
        if kind(node.this) in FLOATS:
            return _macro("float_text", node.this)
        if kind(node.this) in DECIMALS:
            return _macro("numeric_text", node.this)
    return node


def spell_times(node: exp.Expr, _: object) -> exp.Expr:
    """Cast a time to text with no, three or six decimals of its seconds."""
    if isinstance(node, exp.Cast) and node.to.this in TEXT and not node.args.get("format"):
        return _macro("time_text", node.this) if kind(node.this) in TIMES else node
    return node


def round_evenly(node: exp.Expr, _: object) -> exp.Expr:
    """Round a NUMERIC half to even where that is asked for: DuckDB does so with doubles alone."""
    mode = node.args.get("truncate") if isinstance(node, exp.Round) else None
    if mode is None or mode.name.upper() != "ROUND_HALF_EVEN" or kind(node.this) not in DECIMALS:
        return node
    return _macro("round_even", node.this, node.args.get("decimals") or exp.Literal.number(0))


def read_text(node: exp.Expr, _: object) -> exp.Expr:
    """Cast to INT64 and BOOL only such text as says one."""
    if isinstance(node, exp.Cast) and kind(node.this) in TEXT and (name := READERS.get(node.to.this)):
        return _macro(f"safe_{name}" if isinstance(node, exp.TryCast) else name, node.this)
    return node


def begin_substrings(node: exp.Expr, _: object) -> exp.Expr:
    """Begin SUBSTR with the text where it would begin before it, and refuse a negative length."""
    if isinstance(node, exp.Substring) and kind(node.this) not in BYTES and node.args.get("start"):
        arguments = (node.this, node.args["start"], node.args.get("length"))
        return _macro("substr", *(argument for argument in arguments if argument))
    return node


def _macro(name: str, *arguments: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this=f"bq.main._cvg_{name}", expressions=list(arguments))


def _written(
    value: exp.Expr, datatype: exp.DataType | None, writers: Writers, numbers: Iterator[int]
) -> exp.Expr:
    if datatype is None or not any(part.this in writers for part in datatype.find_all(exp.DataType)):
        return value
    if datatype.this is Type.STRUCT:
        names = [field.name for field in datatype.expressions]
        parts = [
            _written(_part(value, field.name), field.args.get("kind"), writers, numbers)
            for field in datatype.expressions
        ]
        return exp.If(
            this=exp.Is(this=value, expression=exp.null()), true=exp.null(), false=_named(names, parts)
        )
    if datatype.this is Type.ARRAY:
        element = exp.to_identifier(f"e{next(numbers)}")
        inner = _written(exp.column(element), datatype.expressions[0], writers, numbers)
        return exp.func("list_transform", value, exp.Lambda(this=inner, expressions=[element]))
    return exp.Anonymous(this=writers[datatype.this], expressions=[value])


def _part(struct: exp.Expr, name: str) -> exp.Expr:
    return exp.func("struct_extract", struct.copy(), exp.Literal.string(name))


def _named(names: list[str], values: list[exp.Expr]) -> exp.Struct:
    return exp.Struct(
        expressions=[
            exp.PropertyEQ(this=exp.to_identifier(name, quoted=True), expression=value)
            for name, value in zip(names, values, strict=True)
        ]
    )


def _struct(row: exp.Expr, fields: list[Field], writers: Writers) -> exp.Struct:
    """Make a struct of all columns of a row that is named by its alias."""
    numbers = count()
    columns = [exp.column(name, row.name, quoted=True) for name, _ in fields]
    values = [
        _written(column, datatype, writers, numbers)
        for column, (_, datatype) in zip(columns, fields, strict=True)
    ]
    return _named([name for name, _ in fields], values)


def _fields(value: exp.Expr) -> list[Field]:
    """Return the columns of the row that a value is the alias of; none where it is something else."""
    select = value.find_ancestor(exp.Select)
    if not isinstance(value, exp.Column) or value.table or select is None:
        return []
    found = (source for source in sources(select) if source.alias_or_name == value.name)
    return _columns(next(found, None))


def _columns(source: exp.Expr | None) -> list[Field]:
    query = source.this if isinstance(source, exp.Subquery) else None
    if isinstance(source, exp.Table):
        query = defined(source)
        if query is None:
            return _stored(source)
    if not isinstance(query, exp.Select) or any(output.is_star for output in query.expressions):
        return []
    return [(output.alias_or_name, output.type) for output in query.expressions]


def _stored(table: exp.Table) -> list[Field]:
    try:
        fields = tables.columns(table.catalog, table.db, table.name)
    except BigQueryError:  # Not there, or not a table: others will say so.
        return []
    return [(field.name, exp.DataType.build(bigquery_type(field), dialect="bigquery")) for field in fields]
