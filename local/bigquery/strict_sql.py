"""Google's own analyzer as the judge of queries, where it is asked for: BigQuery's messages, word for word.

It is a development dependency, and takes half a minute of a processor when a machine loads it for the first
time; so it is loaded in the background, and queries pass until it is there.
"""

import asyncio
import logging
import threading
from typing import Any

from local_bigquery.catalog import tables as catalog_tables
from sqlglot import exp

from local.bigquery.answers import Answer
from local.bigquery.calls import Call
from local.bigquery.failed_jobs import fail_job
from local.bigquery.proxy import Forward
from local.bigquery.statements import Table, statements_of, trees_of
from local.bigquery.switch import Switch
from local.bigquery.tables import exists

logger = logging.getLogger(__name__)

INTEGERS = frozenset({"INT", "SMALLINT", "INTEGER", "BIGINT", "TINYINT", "BYTEINT", "BOOLEAN"})
"""Types that BigQuery has by other names, and the analyzer has not."""


class StrictSql(Switch):
    """Refuse what the analyzer rejects, in jobs and dry runs; off unless switched on by `begin`."""

    def begin(self) -> threading.Thread:
        """Load the analyzer in the background, and be on from then on; return the thread that does."""
        thread = threading.Thread(target=self._load, name="googlesql", daemon=True)
        thread.start()
        return thread

    async def handle(self, call: Call, forward: Forward) -> Answer:
        """Pass the call on when the analyzer has nothing against its query."""
        if self.is_on and (message := await asyncio.to_thread(_rejection, call)):
            return await fail_job(call, "invalidQuery", message)
        return await forward(call)

    def reset(self) -> None:
        """Keep nothing, so forget nothing."""

    def _load(self) -> None:
        try:
            from local.googlesql import load  # noqa: PLC0415 - a development dependency
        except ImportError:
            logger.warning("STRICT_SQL needs the development tools: make install")
            return
        load()
        self.is_on = True


def _rejection(call: Call) -> str:
    """Return why the analyzer rejects a call's query; "" where it takes it, or cannot judge it."""
    from local.googlesql import Analyzer, RejectedSql  # noqa: PLC0415 - a development dependency

    query = call.job_configuration.get("query") or {}
    sql = query.get("query") or ""
    trees = trees_of(sql) if sql else ()
    if len(trees) != 1 or not isinstance(trees[0], exp.Query):
        return ""
    sources = {table for statement in statements_of(call) for table in statement.sources}
    parameters = query.get("queryParameters") or []
    if not all(map(exists, sources)) or not all(given.get("name") for given in parameters):
        return ""  # Wildcards and metadata too, which the analyzer does not know.
    default = query.get("defaultDataset") or {}
    project, dataset = default.get("projectId") or call.project, default.get("datasetId") or ""
    analyzer = Analyzer(
        {".".join(table): _columns(table) for table in sources},
        default_dataset=".".join(part for part in (project, dataset) if part),
    )
    try:
        analyzer.analyze(sql, {given["name"]: _type(given["parameterType"]) for given in parameters})
    except RejectedSql as rejected:
        return "" if _is_of_the_analyzer_alone(str(rejected)) else str(rejected)
    finally:
        analyzer.close()
    return ""


def _columns(table: Table) -> dict[str, str]:
    from local.googlesql import column_type  # noqa: PLC0415 - a development dependency

    return {field.name: column_type(field.dump()) for field in catalog_tables.columns(*table)}


def _type(given: dict[str, Any]) -> str:
    """Name the type of a query parameter."""
    if given["type"] == "ARRAY":
        return f"ARRAY<{_type(given['arrayType'])}>"
    if given["type"] == "STRUCT":
        return (
            f"STRUCT<{', '.join(f'{part["name"]} {_type(part["type"])}' for part in given['structTypes'])}>"
        )
    name: str = given["type"]
    return name


def _is_of_the_analyzer_alone(message: str) -> bool:
    kind, _, name = message.partition(": ")
    return kind == "Type not found" and name.split(" ")[0].upper() in INTEGERS
