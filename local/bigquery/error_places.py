"""What DuckDB says of a query, in BigQuery's words and with its place: DuckDB tells those of its own SQL."""

import re
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

from local_bigquery import app, errors
from local_bigquery.catalog import routines
from local_bigquery.errors import BigQueryError, syntax_error
from local_bigquery.jobs import query
from local_bigquery.sql import dialect, translate
from sqlglot import exp

_from_duckdb: Callable[..., BigQueryError] = query.from_duckdb
_SENTENCES = [
    (re.compile(pattern), sentence)
    for pattern, sentence in [
        (r'Referenced column "(?P<name>[^"]+)" (?:was )?not found', "Unrecognized name: {name}"),
        (r'Referenced table "(?P<name>[^"]+)" not found', "Unrecognized name: {name}"),
        (
            r'Table "(?P<table>[^"]+)" does not have a column named "(?P<name>[^"]+)"',
            "Name {name} not found inside {table}",
        ),
        (
            r'column "?(?P<name>[^"]+?)"? must appear in the GROUP BY clause',
            "SELECT list expression references column {name} which is neither grouped nor aggregated",
        ),
        (r'Ambiguous reference to column name "(?P<name>[^"]+)"', "Column name {name} is ambiguous"),
        (
            r'Column "(?P<name>[^"]+)" in EXCLUDE list not found',
            "Column {name} in SELECT * EXCEPT list does not exist",
        ),
        (
            r'Column "(?P<name>[^"]+)" does not exist on (?P<side>left|right) side of join',
            "Column {name} in USING clause not found on {side} side of join",
        ),
        (r"Subquery returns \d+ columns", "Subquery of type IN must have only one output column"),
        (r"aggregate function calls cannot be nested", "Aggregations of aggregations are not allowed"),
        (r"WHERE clause cannot contain aggregates", "Aggregate function not allowed in WHERE clause"),
        (r"WHERE clause cannot contain window", "Analytic function not allowed in WHERE clause"),
    ]
]
_CANDIDATES = re.compile(r"Candidate bindings: (.*)")
_CANDIDATE = re.compile(r'"(?:[^".]+\.)?([^".]+)"')
_SIGNATURE = re.compile(r"^No matching signature for (?:aggregate )?function (?P<name>\w+) ")
_UNFINISHED = re.compile(r"<class '.*'> at \[(?P<line>\d+):(?P<column>\d+)\]$")


def install() -> None:
    """Tell what is wrong with a query in these words."""
    query.from_duckdb = told
    translate.syntax_error = told_of_syntax
    for module in (app, dialect, errors, routines):
        module.not_implemented = not_implemented


def told(error: Exception, context: Any = None, tree: exp.Expr | None = None) -> BigQueryError:
    """Say BigQuery's sentence, with its place in the query where that can be found."""
    first = str(error).split("\n", maxsplit=1)[0]
    for pattern, sentence in _SENTENCES:
        if match := pattern.search(first):
            names = match.groupdict()
            message = sentence.format(**names) + _meant(str(error), sentence, names.get("name"))
            return BigQueryError("invalidQuery", message + _place_of(tree, names.get("name")))
    found = _from_duckdb(error, context, tree)
    if match := _SIGNATURE.search(found.message):
        return BigQueryError(found.reason, found.message + _place_of_call(tree, match["name"]))
    return found


def told_of_syntax(error: Exception, sql: str) -> BigQueryError:
    """Say where a statement ends too soon; the parser says which of its classes lacks something."""
    found = syntax_error(error, sql)
    if match := _UNFINISHED.search(found.message):
        line, column = int(match["line"]), int(match["column"]) + 1
        is_end = not "\n".join([sql.split("\n")[line - 1][column - 1 :], *sql.split("\n")[line:]]).strip(
            " \n;"
        )
        what = "Unexpected end of statement" if is_end else "Unexpected token"
        return BigQueryError("invalidQuery", f"Syntax error: {what} at [{line}:{column}]")
    return found


def not_implemented(feature: str) -> BigQueryError:
    """Say that it is the local BigQuery which lacks something: Google's may have it."""
    return BigQueryError("notImplemented", f"The local BigQuery does not have this: {feature}")


def place(node: exp.Expr) -> str:
    """Return where a part of a query begins, as ` at [1:8]`; "" where that is not known."""
    metas = [part.meta for part in node.walk() if "line" in part.meta]
    if not metas:
        return ""
    first = min(metas, key=lambda meta: meta["start"])
    return f" at [{first['line']}:{first['col'] - (first['end'] - first['start'])}]"


def _meant(text: str, sentence: str, name: str | None) -> str:
    """Name what a name was most likely meant to be, among those that DuckDB tells."""
    told = _CANDIDATES.search(text) if sentence.startswith("Unrecognized name") else None
    close = get_close_matches(str(name), _CANDIDATE.findall(told[1]), n=1) if told else []
    return f"; Did you mean {close[0]}?" if close else ""


def _place_of(tree: exp.Expr | None, name: str | None) -> str:
    """Find a name's first mention."""
    named = [
        one for one in (tree.find_all(exp.Identifier) if tree and name else ()) if _is_called(one, str(name))
    ]
    return place(min(named, key=lambda one: one.meta["start"])) if named else ""


def _is_called(one: exp.Identifier, name: str) -> bool:
    return "start" in one.meta and one.name.casefold() == name.rpartition(".")[2].casefold()


def _place_of_call(tree: exp.Expr | None, name: str) -> str:
    for call in tree.find_all(exp.Func) if tree else ():
        if str(call.meta.get("bigquery_name", "")).upper() == name.upper():
            return place(call)
    return ""
