"""Parts of JSON literals, and what the local BigQuery has not of JSON's functions."""

from collections.abc import Callable
from inspect import signature

import sqlglot
from local_bigquery.sql.dialect import BigQueryDialect
from local_bigquery.sql.rules.typing import TEXT, kind
from sqlglot import exp

from local.bigquery.error_places import not_implemented

NO_ARGUMENTS = {"bq.main.json_keys": "mode", "bq.main.json_flatten": "mode"}
"""Functions, and the argument that they do not have here."""
MAKERS = {"bq.main.parse_json", "bq.main.to_json"}
NUMBERS = {"bq.main.float64", "bq.main._cvg_float64_array"}
ARRAYS = ("BOOL", "FLOAT64", "INT64", "STRING", "LAX_BOOL", "LAX_FLOAT64", "LAX_INT64", "LAX_STRING")
"""What INT64_ARRAY and the like make of each element."""


def install() -> None:
    """Let INT64_ARRAY and the like be read; nothing else knows them."""
    made = {f"{one}_ARRAY": _caller(f"bq.main._cvg_{one.lower()}_array") for one in ARRAYS}
    known = BigQueryDialect.Parser.FUNCTIONS
    whole = {name: _with_whole_path(known[name]) for name in ("JSON_QUERY", "JSON_EXTRACT")}
    BigQueryDialect.Parser.FUNCTIONS = {**known, **made, **whole}


def _with_whole_path(build: Callable[..., exp.Expr]) -> Callable[..., exp.Expr]:
    """Take `$` for the path that a call leaves out."""
    takes_dialect = "dialect" in signature(build).parameters

    def read(arguments: list[exp.Expr], dialect: object) -> exp.Expr:
        given = [*arguments, exp.Literal.string("$")] if len(arguments) == 1 else arguments
        return build(given, dialect=dialect) if takes_dialect else build(given)

    return read


def _caller(name: str) -> Callable[[list[exp.Expr]], exp.Expr]:
    return lambda arguments: exp.Anonymous(this=name, expressions=arguments)


def open_json(tree: exp.Expr, _: object) -> exp.Expr:
    """Read the path behind `JSON '…'`, leave out what changes nothing, and refuse what is not here."""
    for literal in list(tree.find_all(exp.ParseJSON)):
        if isinstance(literal.this, exp.Dot | exp.Bracket):
            literal.replace(_part_of(literal.this))
    for path in list(tree.find_all(exp.Dot, exp.Bracket)):
        if not isinstance(path.parent, exp.Dot | exp.Bracket) and _is_of_json(path):
            path.replace(_part_of(path))
    for call in tree.find_all(exp.Anonymous):
        _judge_arguments(call)
    for extract in tree.find_all(exp.JSONExtract, exp.JSONExtractScalar, exp.JSONExtractArray):
        template = extract.args.get("expression")
        if isinstance(template, exp.Literal) and template.name.lower().startswith("lax "):
            raise not_implemented("JSONPath in the lax mode")
    return tree


def _judge_arguments(call: exp.Anonymous) -> None:
    named = {one.this.name.lower() for one in call.expressions if isinstance(one, exp.Kwarg)}
    if call.name.lower() in NUMBERS and "wide_number_mode" in named:
        call.set("expressions", call.expressions[:1])  # All numbers are rounded.
    elif (argument := NO_ARGUMENTS.get(call.name.lower(), "")) in named:
        raise not_implemented(f"{call.name.rpartition('.')[2].upper()} with {argument}")


def read_valid(node: exp.Expr, _: object) -> exp.Expr:
    """Give NULL for what is asked of a text that is no JSON."""
    readers = (exp.JSONExtract, exp.JSONExtractScalar, exp.JSONExtractArray, exp.JSONValueArray)
    if isinstance(node, readers) and kind(node.this) in TEXT and "is_valid" not in node.meta:
        node.meta["is_valid"] = True
        valid = exp.Anonymous(this="json_valid", expressions=[node.this.copy()])
        text = exp.If(this=valid, true=node.this.copy())
        text.type = node.this.type
        node.set("this", text)
    return node


def _part_of(path: exp.Expr) -> exp.Expr:
    """Write the fields and elements behind a literal as a path of JSON_QUERY."""
    steps: list[str] = []
    while isinstance(path, exp.Dot | exp.Bracket):
        if isinstance(path, exp.Dot):
            steps.append(f'."{path.expression.name}"')
        else:
            index = path.expressions[0]
            steps.append(f'."{index.name}"' if index.is_string else f"[{index.name}]")
        path = path.this
    is_text = isinstance(path, exp.Literal)
    value = exp.ParseJSON(this=path.copy(), is_literal=True) if is_text else path.copy()
    query: exp.Expr = sqlglot.parse_one("JSON_QUERY(x, 'y')", dialect=BigQueryDialect)
    query.set("this", value)
    query.set("expression", exp.Literal.string("$" + "".join(reversed(steps))))
    return query


def _is_of_json(path: exp.Expr) -> bool:
    """Tell whether fields and elements by their numbers are taken from what makes JSON."""
    while isinstance(path, exp.Dot | exp.Bracket):
        step = path.expressions[0] if isinstance(path, exp.Bracket) else None
        if step is not None and not (isinstance(step, exp.Literal) and path.args.get("offset") is None):
            return False
        path = path.this
    makes = isinstance(path, exp.Anonymous) and path.name.lower() in MAKERS
    return makes or isinstance(path, exp.ParseJSON | exp.JSONFormat)
