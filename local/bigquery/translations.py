"""Translations of queries, remembered: the same text over the same tables is the same SQL of DuckDB.

To translate a query takes longer than to run it: it is parsed, each of its columns gets a type, and each node
goes through all rules. Beside its text a translation depends on what was asked of the catalog meanwhile. So
these questions are kept with it, and are put again: where one has another answer by now, the query is
translated afresh. What depends on more (time, the job, the session) is translated each time.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import duckdb
from local_bigquery.catalog import metadata, row_access
from local_bigquery.errors import BigQueryError
from local_bigquery.jobs import query
from local_bigquery.models import Table as TableResource
from local_bigquery.sql import script
from local_bigquery.sql.translate import Context, parse, translate
from sqlglot import exp

from local.bigquery.memories import MAX_KNOWN, Asked, Known, recorded
from local.bigquery.statements import Table

TEXT = "text"
"""Under which name a tree knows the text that it was read from."""
CHANGING = re.compile(r"@@|\?|\b(?:EXTERNAL_QUERY|INFORMATION_SCHEMA|__TABLES__)\b", re.IGNORECASE)

type Key = tuple[str, str, str | None, tuple[str, ...], frozenset[tuple[str, str]]]
"""Text, project, default dataset, who asks, and the types of parameters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """DuckDB's SQL for a query, the parameters and tables in it, and what it depends on."""

    sql: str
    used: frozenset[str]
    referenced: frozenset[Table]
    asked: tuple[Asked, ...]

    def still_holds(self) -> bool:
        """Tell whether the catalog answers as it did."""
        try:
            return all(question.is_answered_as_before() for question in self.asked)
        except (BigQueryError, duckdb.Error):
            return False


TREES = Known[str, Sequence[exp.Expr]]()
TRANSLATIONS = Known[Key, Translation]()
_parse: Callable[[str], list[exp.Expr]] = parse
_parse_script = lru_cache(maxsize=MAX_KNOWN)(script.parse_script)
_translate: Callable[[exp.Expr, Context], tuple[str, dict[str, Any]]] = translate


def install() -> None:
    """Have jobs read and translate by what is known."""
    script.parse_script = _parse_script
    script.parse = read_trees
    query.translate = translated


def read_trees(text: str) -> list[exp.Expr]:
    """Parse a statement; the tree of a query or an INSERT is shared, for nobody changes it."""
    if known := TREES.get(text):
        return list(known)
    trees = _parse(text)
    if len(trees) == 1 and isinstance(trees[0], exp.Query | exp.Insert):
        trees[0].meta[TEXT] = text
        TREES.keep(text, trees)
    return trees


def translated(tree: exp.Expr, context: Context) -> tuple[str, dict[str, Any]]:
    """Translate a statement, a query as it was translated before where that still holds."""
    text = tree.meta.get(TEXT, "")
    if not text or CHANGING.search(text) or _has_more(context):
        found: tuple[str, dict[str, Any]] = _translate(tree, context)
        return found
    asker, parameters = row_access.members(), frozenset(context.parameters.items())
    key: Key = (text, context.project_id, context.dataset_id, asker, parameters)
    known = TRANSLATIONS.get(key)
    if known is None or not known.still_holds():
        known = _translated_afresh(tree, context)
        if not _expires(known.referenced):
            TRANSLATIONS.keep(key, known)
    context.used.clear()
    context.used.update(known.used)
    context.referenced.update(known.referenced)
    return known.sql, {name: context.values[name] for name in known.used}


def _has_more(context: Context) -> bool:
    """Tell whether a translation depends on what came before it in a script or a session."""
    return bool(context.temporary or context.functions or context.variables or context.settings)


def _translated_afresh(tree: exp.Expr, context: Context) -> Translation:
    with recorded() as asked:
        sql, _ = _translate(tree, context)
    return Translation(
        sql=sql,
        used=frozenset(context.used),
        referenced=frozenset(context.referenced),
        asked=tuple(asked.values()),
    )


def _expires(tables: frozenset[Table]) -> bool:
    """Tell whether one of these tables will be gone at a time that is known: no answer changes then."""
    stored = (metadata.load(TableResource, *table) for table in tables)
    return any(table is not None and table.expirationTime is not None for table in stored)
