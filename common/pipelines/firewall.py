"""The SQL firewall: whether a tenant's statement may run, and every reason why not.

Two judges must agree. `judge_statement` reads the text: at upload, and again before each job. `judge_dry_run`
reads what BigQuery itself says of the statement, through views and wildcards; it has the last word. What
either cannot judge is refused. Reasons are the rest of a sentence that begins with the step.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from common.pipelines.grammar import UnreadableQuery
from common.pipelines.reads import Path, Reads, reads_of
from common.pipelines.tables import INFORMATION_SCHEMA, Policy, TableName
from common.pipelines.tokens import (
    Kind,
    LexicalViolation,
    Token,
    column_of_masked,
    masked,
    tokens,
    without_patterns,
)

# BigQuery names at most this many referenced tables; beyond it nobody knows what a query reads.
MAX_REFERENCED_TABLES = 50

_BUILT_IN = frozenset({"AEAD", "HLL_COUNT", "KEYS", "KLL_QUANTILES", "ML", "NET", "SAFE"})
_TABLE_FUNCTIONS = frozenset({"APPENDS", "CHANGES", "GAP_FILL", "RANGE_SESSIONIZE", "VECTOR_SEARCH"})
_REACHES_OUT = {
    "EXTERNAL_OBJECT_TRANSFORM": "it signs access to files outside BigQuery",
    "EXTERNAL_QUERY": "it reads a database outside BigQuery",
    "KEYSET_CHAIN": "it uses keys of the platform's project",
    "NEW_WRAPPED_KEYSET": "it uses keys of the platform's project",
    "REWRAP_KEYSET": "it uses keys of the platform's project",
    "ROTATE_WRAPPED_KEYSET": "it uses keys of the platform's project",
    "ST_REGIONSTATS": "it reads files outside BigQuery",
}
_REACHING_OUT = frozenset({"AI", "OBJ"})

_ONE_SELECT = "a step is one SELECT (WITH is allowed)"
_BRACE = "has a brace: a variable is written ${name}"
_NO_TEMPLATES = (
    "has a template in {}, which nothing fills in here: write a table by its name, a variable as ${{name}}"
)
_SYMBOLS = {
    "?": "has a positional parameter (?): declare a parameter and write ${name}",
    "@": "has an @ without a name: hints, decorators and quoted parameters are not allowed",
    "$": "has a $ that begins no variable: write ${name}; table decorators are not allowed",
    "{": _BRACE,
    "}": _BRACE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The reasons against a statement, none where it may run; and the tables that it names."""

    reasons: tuple[str, ...]
    tables: frozenset[TableName] = frozenset()


def judge_statement(sql: str, policy: Policy) -> Judgement:
    """Judge the text of a statement, its variables put in, by what it is, reads and calls."""
    try:
        statement = tokens(sql)
        if reasons := _reasons_against_text(statement):
            return Judgement(reasons=tuple(reasons))
        reads = reads_of(masked(_without_end(statement)))
    except LexicalViolation as refused:
        return Judgement(reasons=(str(refused),))
    except UnreadableQuery as refused:
        column = column_of_masked(statement, refused.line, refused.column)
        return Judgement(reasons=(refused.told_at(column),))
    return Judgement(reasons=tuple(_reasons_against(reads, policy)), tables=_named(reads, policy))


def judge_dry_run(
    statement_type: str,
    referenced_tables: Iterable[str],
    policy: Policy,
    referenced_routines: Iterable[str] = (),
    expected: str = "SELECT",
) -> tuple[str, ...]:
    """Return the reasons against a statement by BigQuery's own reading of it.

    `referenced_tables` and `referenced_routines` are `project.dataset.name`; `expected` is what the statement
    has to be, a SELECT but where the platform has written another one around a tenant's.
    """
    tables = sorted(set(referenced_tables))
    reasons = [policy.reason_against_reading(table.split(".")) for table in tables]
    reasons += [policy.reason_against_calling(name.split(".")) for name in sorted(set(referenced_routines))]
    if statement_type != expected:
        wanted = _ONE_SELECT if expected == "SELECT" else f"the step's plan has {expected}"
        reasons.append(f"is of the type {statement_type or 'UNKNOWN'} for BigQuery: {wanted}")
    if len(tables) >= MAX_REFERENCED_TABLES:
        reasons.append(
            f"reads {MAX_REFERENCED_TABLES} tables or more, and BigQuery does not name more than that: "
            "split the step"
        )
    return tuple(filter(None, reasons))


def tables_without_dataset(sql: str) -> frozenset[str]:
    """Name the tables of a statement that may run which only a default dataset tells."""
    reads = reads_of(masked(_without_end(tokens(sql))))
    return frozenset(path[0] for path in reads.tables if len(path) == 1)


def _reasons_against_text(statement: Sequence[Token]) -> list[str]:
    code = [token for token in statement if token.kind not in (Kind.SPACE, Kind.COMMENT)]
    reasons = [reason for token in without_patterns(code) if (reason := _reason_against_token(token))]
    reasons += filter(None, map(_reason_against_comment, statement))
    if template := _template_in(statement):
        kept = [reason for reason in reasons if reason != _BRACE]
        return list(dict.fromkeys([_NO_TEMPLATES.format(template.place), *kept]))
    if reason := _reason_against_beginning(code):
        reasons.append(reason)
    ends = [token for token in code[:-1] if token.text == ";"]
    if ends:
        reasons.append(f"has more than one statement, the first ends in {ends[0].place}: {_ONE_SELECT}")
    return list(dict.fromkeys(reasons))


def _template_in(statement: Sequence[Token]) -> Token | None:
    """Return where a statement has `{{`, `{%` or `{#`, as files of dbt and Airflow do."""
    beginnings = (
        left for left, right in pairwise(statement) if left.text == "{" and right.text[0] in {"{", "%", "#"}
    )
    return next(beginnings, None)


def _reason_against_comment(token: Token) -> str:
    is_switch = token.kind is Kind.COMMENT and token.text[1:].strip().lower() == "legacysql"
    return "asks for legacy SQL (#legacySQL), which names tables in other ways" if is_switch else ""


def _reason_against_token(token: Token) -> str:
    match token.kind:
        case Kind.SYSTEM:
            return f"uses the system variable {token.text}"
        case Kind.VARIABLE:
            return f"holds the variable {token.text}, which has no value here"
        case Kind.SYMBOL:
            return _SYMBOLS.get(token.text, "")
    return ""


def _reason_against_beginning(code: Sequence[Token]) -> str:
    words = (token.text.upper() for token in code if token.text != "(")
    word = next(words, "")
    if word in ("SELECT", "WITH", "FROM"):
        return ""
    return f"begins with {word}: {_ONE_SELECT}" if word else f"is empty: {_ONE_SELECT}"


def _without_end(statement: Sequence[Token]) -> list[Token]:
    return [token for token in statement if token.text != ";"]


def _reasons_against(reads: Reads, policy: Policy) -> list[str]:
    reasons = [f"holds {name}, which belongs in no query" for name in sorted(reads.foreign)]
    reasons += [policy.reason_against_reading(path) for path in sorted(reads.tables)]
    reasons += [_reason_against_table_function(path, policy) for path in sorted(reads.table_functions)]
    reasons += [_reason_against_function(path, policy) for path in sorted(reads.routines)]
    return list(filter(None, reasons))


def _reason_against_function(path: Path, policy: Policy) -> str:
    if len(path) > 2 and path[0].upper() == "SAFE":  # SAFE.NET.HOST is NET.HOST that gives NULL.
        path = path[1:]
    namespace, name = path[0].upper(), path[-1].upper()
    if why := _REACHES_OUT.get(name, ""):
        return f"calls {'.'.join(path)}: {why}"
    if len(path) == 1 or (len(path) == 2 and namespace in _BUILT_IN):
        return ""
    if len(path) == 2 and namespace in _REACHING_OUT:
        return f"calls {'.'.join(path)}: functions of {namespace} reach services outside BigQuery"
    return policy.reason_against_calling(path)


def _reason_against_table_function(path: Path, policy: Policy) -> str:
    namespace, name = path[0].upper(), path[-1].upper()
    if len(path) == 1 and name not in _TABLE_FUNCTIONS | _REACHES_OUT.keys():
        known = ", ".join(sorted(_TABLE_FUNCTIONS))
        return (
            f"reads from {path[0]}(), a table function that cannot be judged: known are {known}, ML.*, and "
            "those of your own dataset, written with its name"
        )
    if len(path) == 2 and namespace in _BUILT_IN - {"ML"}:
        return f"reads from {'.'.join(path)}(), which is no table function"
    return _reason_against_function(path, policy)


def _named(reads: Reads, policy: Policy) -> frozenset[TableName]:
    paths = (path for path in reads.tables if INFORMATION_SCHEMA not in (part.upper() for part in path))
    return frozenset(table for path in paths if (table := policy.resolve(path)))
